// Judges the Sigstore bundles in a folder with npm's @sigstore/verify, which shares no code with this project.
//
//   node judge.js TASK.json
//
// The task has `cases`, each with `bundle` (a file), `key` (a public key in PEM) and `digest` (of the image). Prints a list with "" for
// each accepted case, and the reason for each refused one.
const crypto = require('crypto');
const fs = require('fs');
const { bundleFromJSON } = require('@sigstore/bundle');
const { toSignedEntity, toTrustMaterial, Verifier } = require('@sigstore/verify');
const { TrustedRoot } = require('@sigstore/protobuf-specs');

const task = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const trustedRoot = task.trusted_root
  ? TrustedRoot.fromJSON(task.trusted_root)
  : TrustedRoot.fromJSON({ mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1' });

function judge({ bundle, key, digest, identity, issuer, timestamps }) {
  const parsed = bundleFromJSON(JSON.parse(fs.readFileSync(bundle, 'utf8')));
  const keys = (hint) => {
    const publicKey = crypto.createPublicKey(key);
    const fingerprint = crypto.createHash('sha256').update(publicKey.export({ format: 'der', type: 'spki' })).digest('base64');
    if (hint !== fingerprint) throw new Error(`no key has the hint ${hint}`);
    return { publicKey, validFor: () => true };
  };
  const trust = toTrustMaterial(trustedRoot, key ? keys : undefined);
  const logs = key ? 0 : 1;
  const verifier = new Verifier(trust, { tlogThreshold: timestamps ? 0 : logs, ctlogThreshold: logs, timestampThreshold: logs });
  const policy = identity ? { subjectAlternativeName: identity, extensions: { issuer } } : undefined;
  verifier.verify(toSignedEntity(parsed), policy);
  const statement = JSON.parse(parsed.content.dsseEnvelope.payload.toString());
  const subjects = statement.subject.map((subject) => `sha256:${subject.digest.sha256}`);
  if (!subjects.includes(digest)) throw new Error(`it is about ${subjects}`);
}

const results = task.cases.map((one) => {
  try {
    judge(one);
    return '';
  } catch (error) {
    return String(error.message || error) || 'refused';
  }
});
console.log(JSON.stringify(results));
