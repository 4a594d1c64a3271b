// LangChain over a chat model of its own: what its users see of every wire we speak.
import { HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { createAgent, tool } from 'langchain';
import { z } from 'zod';
import { large, pixel, rejected, unicode, watchedFetch } from './run.mjs';

const weather = tool(() => '{"celsius":21}', {
  name: 'get_weather', description: 'The weather in a city', schema: z.object({ city: z.string() }),
});
const usageOf = (usage) => ({ input: usage.input_tokens, output: usage.output_tokens, cached: usage.input_token_details?.cache_read ?? 0 });
const plain = ({ id, name, args }) => ({ id, name, input: args });

async function collect(open) {
  const seen = { text: '', pieces: 0, whole: null, error: null };
  try {
    for await (const chunk of await open()) {
      seen.pieces += chunk.text ? 1 : 0;
      seen.text += chunk.text;
      seen.whole = seen.whole ? seen.whole.concat(chunk) : chunk;
    }
  } catch (error) {
    seen.error = { name: error?.constructor?.name, message: String(error?.message) };
  }
  return seen;
}

// `open` makes a chat model of a target: (target, name, options) => model. `finishOf` says why an answer ended.
export const scenarios = (open, finishOf) => {
  const at = ({ target, model }, options) => open(target, model, options);
  const ask = (text) => [new SystemMessage('Answer briefly.'), new HumanMessage(text)];
  const shown = (answer) => ({ text: answer.text, finish: finishOf(answer), usage: usageOf(answer.usage_metadata) });
  return {
    async text(each) {
      return shown(await at(each).invoke(ask('What is a harbour?')));
    },
    async stream(each) {
      const { text, pieces, whole, error } = await collect(() => at(each).stream(ask('Count to three.')));
      return { text, pieces, error, finish: finishOf(whole), usage: usageOf(whole.usage_metadata) };
    },
    async tools(each) {
      const { messages } = await createAgent({ model: at(each), tools: [weather] }).invoke({ messages: [{ role: 'user', content: 'What is the weather in Zürich?' }] });
      return { calls: messages.flatMap((message) => message.tool_calls ?? []).map(plain), text: messages.at(-1).text };
    },
    async parallel_tools(each) {
      const model = at(each).bindTools([weather]);
      const messages = ask('Compare Zürich and Oslo.');
      const { whole } = await collect(() => model.stream(messages));
      const results = whole.tool_calls.map((call) => new ToolMessage({ tool_call_id: call.id, content: `result of ${call.id}` }));
      const second = await model.invoke([...messages, whole, ...results]);
      return { calls: whole.tool_calls.map(plain), text: second.text };
    },
    async schema(each) {
      const Place = z.object({ city: z.string(), people: z.number().int(), coastal: z.boolean(), kind: z.enum(['town', 'city']) });
      return { parsed: await at(each).withStructuredOutput(Place).invoke('Describe Oslo.') };
    },
    async image(each) {
      const content = [{ type: 'text', text: 'What is this?' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } }];
      return { text: (await at(each).invoke([new HumanMessage({ content })])).text };
    },
    async wrong_key(each) {
      return rejected(() => at(each, { apiKey: 'not-a-key', maxRetries: 0 }).invoke('Hello?'));
    },
    async unknown_model({ target }) {
      return rejected(() => open(target, 'no-such-model', { maxRetries: 0 }).invoke('Hello?'));
    },
    async missing_at_provider(each) {
      return rejected(() => at(each, { maxRetries: 0 }).invoke('Hello?'));
    },
    async retry(each) {
      const { attempts, fetch } = watchedFetch();
      const answer = await at(each, { fetch, maxRetries: 5 }).invoke('Try again.');
      return { text: answer.text, statuses: attempts.map((attempt) => attempt.status) };
    },
    async retry_later(each) {
      return rejected(() => at(each, { maxRetries: 0 }).invoke('Hello?'));
    },
    async cut(each) {
      return collect(() => at(each, { maxRetries: 0 }).stream('A long story, please.'));
    },
    async unfinished(each) {
      return collect(() => at(each, { maxRetries: 0 }).stream('A long story, please.'));
    },
    async garbage(each) {
      return rejected(() => at(each, { maxRetries: 0 }).invoke('Hello?'));
    },
    async unicode(each) {
      const streamed = await collect(() => at(each).stream(unicode));
      return { expected: unicode, streamed: streamed.text, whole: (await at(each).invoke(unicode)).text };
    },
    async large(each) {
      return { isWhole: (await at(each).invoke(large)).text === `You said: ${large}` };
    },
    async disconnect(each) {
      const controller = new AbortController();
      let left;
      try {
        for await (const chunk of await at(each).stream('Go on.', { signal: controller.signal })) {
          if (chunk.text) {
            left = Date.now();
            controller.abort();
          }
        }
      } catch {
        // The signal ends the loop.
      }
      return { at: left };
    },
    async disconnect_while_waiting(each) {
      const controller = new AbortController();
      let left;
      setTimeout(() => { left = Date.now(); controller.abort(); }, 1000);
      const outcome = await rejected(() => at(each, { maxRetries: 0 }).invoke('Wait.', { signal: controller.signal }));
      return { at: left, ...outcome };
    },
  };
};
