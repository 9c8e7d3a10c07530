// Serves npm's @sigstore/mock on a free port of the loopback: Fulcio and Rekor in one. Prints one line of JSON with its address and its
// trusted root, and ends with its standard input.
//
// The stand-in for Rekor keeps entries as they were proposed. Without `--proposed`, entries are canonicalized first, as Rekor does
// (sigstore/rekor, `pkg/types/dsse/v0.0.1/entry.go`). With `--timestamps`, openssl is an authority for timestamps.
const { execFileSync } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');
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

// An authority for timestamps: its certificates, and the answer to a request of the form that Sigstore's authority takes.
function timestampAuthority() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tsa-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const openssl = (line) => execFileSync('openssl', line.split(' '), { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc';
  fs.writeFileSync(path.join(folder, 'leaf.ext'), 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n');
  fs.writeFileSync(path.join(folder, 'serial'), '01\n');
  fs.writeFileSync(path.join(folder, 'tsa.cnf'), '[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.3.6.1.4.1.57264.2\ndigests=sha256\ness_cert_id_alg=sha256\n');
  openssl(`req -x509 ${key} -keyout ca.key -out ca.crt -subj /CN=tsa-ca -days 2 -addext keyUsage=critical,keyCertSign`);
  openssl(`req -new ${key} -keyout tsa.key -out tsa.csr -subj /CN=tsa`);
  openssl('x509 -req -in tsa.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.ext -out tsa.crt');
  const der = (name) => openssl(`x509 -in ${name} -outform DER`).toString('base64');
  const answer = (body) => {
    const digest = Buffer.from(JSON.parse(body).artifactHash, 'base64').toString('hex');
    openssl(`ts -query -digest ${digest} -sha256 -cert -out query`);
    openssl('ts -reply -config tsa.cnf -queryfile query -signer tsa.crt -inkey tsa.key -out reply');
    return fs.readFileSync(path.join(folder, 'reply'));
  };
  return { certificates: [der('tsa.crt'), der('ca.crt')], answer };
}

async function main() {
  const authorityForTime = process.argv.includes('--timestamps') ? timestampAuthority() : undefined;
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
      if (authorityForTime && request.url === '/api/v1/timestamp') {
        const reply = authorityForTime.answer(Buffer.concat(chunks).toString());
        return response.writeHead(201, { 'content-type': 'application/timestamp-reply' }).end(reply);
      }
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
      timestampAuthorities: authorityForTime ? [{
        subject: { organization: 'test', commonName: 'tsa' },
        uri: 'https://tsa.example.com',
        certChain: { certificates: authorityForTime.certificates.map((rawBytes) => ({ rawBytes })) },
        validFor: { start },
      }] : [],
    };
    console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}`, trustedRoot }));
  });
  process.stdin.on('end', () => process.exit()).resume();
}

main();
