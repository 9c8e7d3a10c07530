// Serves npm's @sigstore/mock on a free port of the loopback: Fulcio and Rekor in one. Prints one line of JSON with its address and its
// trusted root, and ends with its standard input.
//
// The stand-in for Rekor keeps entries as they were proposed. Without `--proposed`, entries are canonicalized first, as Rekor does
// (sigstore/rekor, `pkg/types/dsse/v0.0.1/entry.go`).
const crypto = require('crypto');
const http = require('http');
const mock = require('@sigstore/mock');

const proposed = process.argv.includes('--proposed');
const pair = () => crypto.generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const hash = (bytes) => ({ algorithm: 'sha256', value: crypto.createHash('sha256').update(bytes).digest('hex') });

function canonical(entry) {
  const { envelope, verifiers } = entry.spec.proposedContent;
  const parsed = JSON.parse(envelope);
  const signatures = parsed.signatures.map(({ sig }) => ({ signature: sig, verifier: verifiers[0] }));
  const payloadHash = hash(Buffer.from(parsed.payload, 'base64'));
  return { ...entry, spec: { envelopeHash: hash(envelope), payloadHash, signatures } };
}

async function main() {
  const [authority, log] = [pair(), pair()];
  const ctlog = await mock.initializeCTLog(authority);
  const ca = await mock.initializeCA(authority, ctlog);
  const tlog = await mock.initializeTLog('https://rekor.example.com', log);
  const fulcio = mock.fulcioHandler(ca);
  const rekor = {
    path: '/api/v1/log/entries',
    fn: async (body) => {
      const entry = JSON.parse(body);
      return { statusCode: 201, response: JSON.stringify(await tlog.log(proposed ? entry : canonical(entry))) };
    },
  };
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const handler = [fulcio, rekor].find(({ path }) => path === request.url);
      if (!handler) return response.writeHead(404).end();
      const { statusCode, response: text } = await handler.fn(Buffer.concat(chunks).toString());
      response.writeHead(statusCode, { 'content-type': 'application/json' }).end(text);
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const der = (key) => key.export({ format: 'der', type: 'spki' });
    const id = (key) => crypto.createHash('sha256').update(der(key)).digest('base64');
    const start = new Date(Date.now() - 3600_000).toISOString();
    const logOf = (key) => ({
      baseUrl: 'https://rekor.example.com',
      hashAlgorithm: 'SHA2_256',
      publicKey: { rawBytes: der(key).toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: { start } },
      logId: { keyId: id(key) },
    });
    const trustedRoot = {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [logOf(log.publicKey)],
      ctlogs: [logOf(authority.publicKey)],
      certificateAuthorities: [{
        subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
        uri: 'https://fulcio.example.com',
        certChain: { certificates: [{ rawBytes: Buffer.from(ca.rootCertificate).toString('base64') }] },
        validFor: { start },
      }],
      timestampAuthorities: [],
    };
    console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}`, trustedRoot }));
  });
  process.stdin.on('end', () => process.exit()).resume();
}

main();
