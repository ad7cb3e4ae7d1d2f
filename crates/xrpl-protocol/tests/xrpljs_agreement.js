// Reads transactions as JSON lines; writes for each its binary form and what it decodes to.
const { encode, decode } = require('ripple-binary-codec')
const lines = require('node:fs').readFileSync(process.argv[2], 'utf8').trim().split('\n')
for (const line of lines) {
  const hex = encode(JSON.parse(line))
  console.log(JSON.stringify({ hex, json: decode(hex) }))
}
