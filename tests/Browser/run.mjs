// Plays one journey in a browser profile of its own and prints what came of it as one JSON line.
// Standard input: {"chromium": path, "journey": name, "baseUrl", "given": what the journey needs to know}
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import * as journeys from './journeys.mjs';
import { Visitor } from './visitor.mjs';

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

const { chromium: executablePath, journey, baseUrl, given } = JSON.parse(readFileSync(0, 'utf8'));
const browser = await chromium.launch({ executablePath, args });
const visitor = await Visitor.arrive(browser, baseUrl);
let error = null;
try {
  await journeys[journey](visitor, given);
} catch (thrown) {
  error = await visitor.explain(thrown);
}
console.log(JSON.stringify({ error, findings: visitor.findings, pages: visitor.pages }));
await browser.close();
