/** The other side of `webhook`: a server that answers with a label and thinks of nothing. Its parent gives it the rest. */
import { createServer } from 'node:https';

export interface BareInput {
  certificate: string;
  key: string;
  /** The same for every object. */
  label: string;
  value: string;
}

process.once('disconnect', () => process.exit(0));
process.once('message', ({ certificate, key, label, value }: BareInput) => {
  const patch = [{ op: 'add', path: '/metadata/labels', value: { [label]: value } }];
  const encoded = Buffer.from(JSON.stringify(patch)).toString('base64');
  const server = createServer({ cert: certificate, key, keepAliveTimeout: 120_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review: { request: { uid: string } } = JSON.parse(Buffer.concat(chunks).toString());
      const answer = JSON.stringify({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: review.request.uid, allowed: true, patchType: 'JSONPatch', patch: encoded },
      });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
});
