// The Vercel AI SDK over a provider of its own: what its users see of every wire we speak.
import { generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { large, pixel, rejected, unicode, watchedFetch } from './run.mjs';

const system = 'Answer briefly.';
const weatherIn = (answer) => ({
  get_weather: tool({
    description: 'The weather in a city',
    inputSchema: z.object({ city: z.string() }),
    execute: (_, { toolCallId }) => answer ?? `result of ${toolCallId}`,
  }),
});
const callsOf = (steps) => steps.flatMap((step) => step.toolCalls).map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, input }));
const usageOf = ({ inputTokens, outputTokens, inputTokenDetails, cachedInputTokens }) => ({
  input: inputTokens, output: outputTokens, cached: inputTokenDetails?.cacheReadTokens ?? cachedInputTokens ?? 0,
});
const quietly = { onError: () => {} };

async function collect(result) {
  const seen = { text: '', pieces: 0, finish: null, usage: null, error: null };
  for await (const part of result.fullStream) {
    if (part.type === 'text-delta') {
      seen.pieces++;
      seen.text += part.text;
    }
    if (part.type === 'finish') {
      seen.finish = part.finishReason;
      seen.usage = usageOf(part.totalUsage);
    }
    if (part.type === 'error') {
      seen.error = { name: part.error?.name ?? part.error?.type ?? 'error', message: String(part.error?.message ?? part.error) };
    }
  }
  return seen;
}

// `open` makes a model of a target: (target, name, options) => model.
export const scenarios = (open) => {
  const at = ({ target, model }, options) => open(target, model, options);
  return {
    async text(each) {
      const answer = await generateText({ model: at(each), system, prompt: 'What is a harbour?' });
      return { text: answer.text, finish: answer.finishReason, usage: usageOf(answer.usage), id: answer.response.id };
    },
    async stream(each) {
      return collect(streamText({ model: at(each), system, prompt: 'Count to three.', ...quietly }));
    },
    async tools(each) {
      const answer = await generateText({ model: at(each), prompt: 'What is the weather in Zürich?', tools: weatherIn('{"celsius":21}'), stopWhen: stepCountIs(3) });
      return { calls: callsOf(answer.steps), finish: answer.steps[0].finishReason, text: answer.text };
    },
    async parallel_tools(each) {
      const answer = streamText({ model: at(each), prompt: 'Compare Zürich and Oslo.', tools: weatherIn(), stopWhen: stepCountIs(3), ...quietly });
      const { error } = await collect(answer);
      const steps = await answer.steps;
      return { calls: callsOf(steps), finish: steps[0].finishReason, text: steps.at(-1).text, error };
    },
    async schema(each) {
      const schema = z.object({ city: z.string(), people: z.number().int(), coastal: z.boolean(), kind: z.enum(['town', 'city']) });
      const answer = await generateText({ model: at(each), prompt: 'Describe Oslo.', output: Output.object({ schema }) });
      return { parsed: answer.output, finish: answer.finishReason };
    },
    async image(each) {
      const content = [{ type: 'text', text: 'What is this?' }, { type: 'image', image: Buffer.from(pixel, 'base64'), mediaType: 'image/png' }];
      return { text: (await generateText({ model: at(each), messages: [{ role: 'user', content }] })).text };
    },
    async wrong_key(each) {
      return rejected(() => generateText({ model: at(each, { apiKey: 'not-a-key' }), prompt: 'Hello?', maxRetries: 0 }));
    },
    async unknown_model({ target }) {
      return rejected(() => generateText({ model: open(target, 'no-such-model'), prompt: 'Hello?', maxRetries: 0 }));
    },
    async missing_at_provider(each) {
      return rejected(() => generateText({ model: at(each), prompt: 'Hello?', maxRetries: 0 }));
    },
    async retry(each) {
      const { attempts, fetch } = watchedFetch();
      const answer = await generateText({ model: at(each, { fetch }), prompt: 'Try again.', maxRetries: 5 });
      return { text: answer.text, statuses: attempts.map((attempt) => attempt.status) };
    },
    async retry_later(each) {
      return rejected(() => generateText({ model: at(each), prompt: 'Hello?', maxRetries: 0 }));
    },
    async cut(each) {
      return collect(streamText({ model: at(each), prompt: 'A long story, please.', maxRetries: 0, ...quietly }));
    },
    async unfinished(each) {
      return collect(streamText({ model: at(each), prompt: 'A long story, please.', maxRetries: 0, ...quietly }));
    },
    async garbage(each) {
      return rejected(() => generateText({ model: at(each), prompt: 'Hello?', maxRetries: 0 }));
    },
    async unicode(each) {
      const streamed = await collect(streamText({ model: at(each), prompt: unicode, ...quietly }));
      return { expected: unicode, streamed: streamed.text, whole: (await generateText({ model: at(each), prompt: unicode })).text };
    },
    async large(each) {
      return { isWhole: (await generateText({ model: at(each), prompt: large })).text === `You said: ${large}` };
    },
    async disconnect(each) {
      const controller = new AbortController();
      let left;
      for await (const piece of streamText({ model: at(each), prompt: 'Go on.', abortSignal: controller.signal, ...quietly }).textStream) {
        if (piece) {
          left = Date.now();
          controller.abort();
          break;
        }
      }
      return { at: left };
    },
    async disconnect_while_waiting(each) {
      const controller = new AbortController();
      let left;
      setTimeout(() => { left = Date.now(); controller.abort(); }, 1000);
      const outcome = await rejected(() => generateText({ model: at(each), prompt: 'Wait.', abortSignal: controller.signal, maxRetries: 0 }));
      return { at: left, ...outcome };
    },
  };
};
