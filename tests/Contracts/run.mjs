// Runs every scenario against every target at once and prints one JSON line per result.
// Standard input: {"targets":[{"name","baseUrl","key","prefix","prefixes":{scenario: prefix},"model","only":[scenario]}]}
import { readFileSync } from 'node:fs';

export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
export const unicode = 'Grüße aus Zürich: 東京 🗼 and 👩‍🔬 say “hé”.';

// What a failed call looks like to the program that made it.
export const failure = (error) => ({
  error: {
    name: error?.constructor?.name ?? typeof error,
    status: error?.status ?? null,
    code: error?.code ?? null,
    type: error?.type ?? error?.error?.error?.type ?? null,
    message: String(error?.message ?? error),
    requestId: error?.requestID ?? null,
    retryAfter: error?.headers?.get?.('retry-after') ?? null,
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
  const work = targets.flatMap((target) => Object.entries(scenarios)
    .filter(([scenario]) => target.only?.includes(scenario) ?? true)
    .map(async ([scenario, play]) => {
      const model = target.model ?? `${target.prefixes?.[scenario] ?? target.prefix}${scenario}-${target.name}`;
      let result;
      try {
        result = await play({ target, model, connect: (options) => connect(target, options), client: connect(target) });
      } catch (error) {
        result = failure(error);
      }
      console.log(JSON.stringify({ target: target.name, scenario, result }));
    }));
  await Promise.all(work);
  process.exit(0);
}
