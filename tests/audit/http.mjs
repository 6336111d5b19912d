import { serverAudits } from 'graphql-http';
// Resolved from the folder that npm installed into, where this file is copied to.
const audits = serverAudits({ url: process.argv[2], fetchFn: fetch });
let passed = 0;
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === 'ok') { passed += 1; continue; }
  console.error(result.status, audit.name, result.reason);
}
console.log(`${passed}/${audits.length}`);
process.exitCode = passed === audits.length ? 0 : 1;
