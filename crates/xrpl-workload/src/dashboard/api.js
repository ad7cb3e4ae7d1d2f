// Requests. An error of the API arrives with its own words; anything else is "no answer".

const TOKEN = "xrpl-workload-token";
export const TIMEOUT_MS = 10000;

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, options = {}, within = TIMEOUT_MS) {
  const response = await fetch(path, { ...options, signal: AbortSignal.timeout(within) });
  const body = await response.json();
  // /health says with 503 what is wrong, in its own form.
  if (!response.ok && body.error) throw new ApiError(response.status, body.error.message);
  return body;
}

export const get = (path, within) => ask(path, {}, within);

export function post(path, body = {}) {
  const headers = { "content-type": "application/json" };
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.authorization = `Bearer ${token}`;
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}

export const useToken = (token) => sessionStorage.setItem(TOKEN, token);
