// Runs every scenario against every target at once and prints one JSON line per result.
// Standard input: {"targets":[{"name","baseUrl","key","prefix","prefixes":{scenario: prefix},"model","only":[scenario]}]}
import { readFileSync } from 'node:fs';

export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
export const unicode = 'Grüße aus Zürich: 東京 🗼 and 👩‍🔬 say “hé”.';

// One megabyte.
export const large = 'harbour '.repeat(1 << 17).trim();

// What a failed call looks like to the program that made it.
export const failure = (error) => ({
  error: {
    name: error?.constructor?.name ?? typeof error,
    status: error?.status ?? error?.statusCode ?? null,
    code: error?.code ?? null,
    type: error?.type ?? error?.error?.error?.type ?? null,
    message: String(error?.message ?? error),
    requestId: error?.requestID ?? null,
    retryAfter: error?.headers?.get?.('retry-after') ?? error?.responseHeaders?.['retry-after'] ?? null,
  },
});

// A fetch that notes each attempt the client makes.
export function watchedFetch() {
  const attempts = [];
  const watched = async (url, init) => {
    const response = await fetch(url, init);
    attempts.push({ status: response.status, at: Date.now() });
    return response;
  };
  return { attempts, fetch: watched };
}

export async function rejected(action) {
  try {
    return { answered: await action() };
  } catch (error) {
    return failure(error);
  }
}

export async function run(scenarios, connect) {
  const { targets } = JSON.parse(readFileSync(0, 'utf8'));
  const work = targets.flatMap((target) => Object.keys(scenarios)
    .filter((scenario) => target.only?.includes(scenario) ?? true)
    .map((scenario) => ({ target, scenario })));
  const isLeave = ({ scenario }) => scenario.startsWith('disconnect');
  await Promise.all(work.filter((each) => !isLeave(each)).map((each) => play(each, scenarios, connect)));
  // Last, when everything is warm: a request given up after a second must have reached the provider by then.
  await Promise.all(work.filter(isLeave).map((each) => play(each, scenarios, connect)));
  process.exit(0);
}

async function play({ target, scenario }, scenarios, connect) {
  const model = target.model ?? `${target.prefixes?.[scenario] ?? target.prefix}${scenario}-${target.name}`;
  let result;
  try {
    result = await scenarios[scenario]({ target, model, connect: (options) => connect(target, options), client: connect(target) });
  } catch (error) {
    result = failure(error);
  }
  console.log(JSON.stringify({ target: target.name, scenario, result }));
}
