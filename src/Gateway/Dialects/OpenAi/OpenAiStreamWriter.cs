using System.Buffers;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>A client's stream of <c>chat.completion.chunk</c>. What is the same in every chunk is written once and copied.</summary>
internal sealed class OpenAiStreamWriter(ChatRequest request, AnswerHead head) : IChatStreamWriter
{
    private readonly Dictionary<(int Choice, int Index), Call> calls = [];
    private readonly Dictionary<(int Choice, int Index), string> thoughts = [];
    private readonly Dictionary<int, CitedText> texts = [];
    private readonly List<int> opened = [];
    private byte[] prefix = [];
    private TokenUsage usage;
    private bool failed;

    public void Write(ChatEvent step, IBufferWriter<byte> output)
    {
        switch (step)
        {
            case ChatEvent.Start start:
                prefix = Prefix(start.Model);
                Open(0, output);
                break;
            case ChatEvent.TextDelta text:
                TextOf(step.Choice).Append(text.Index, text.Text);
                WriteDelta(output, step.Choice, "content"u8, text.Text);
                break;
            case ChatEvent.Cited cited:
                TextOf(step.Choice).Add(cited.Index, cited.Citation);
                break;
            case ChatEvent.RefusalDelta refusal:
                WriteDelta(output, step.Choice, "refusal"u8, refusal.Text);
                break;
            case ChatEvent.ThinkDelta thought:
                var key = (step.Choice, thought.Index);
                thoughts[key] = thoughts.GetValueOrDefault(key) + thought.Text;
                WriteDelta(output, step.Choice, "reasoning_content"u8, thought.Text);
                break;
            case ChatEvent.ThinkSignature signature:
                var text2 = thoughts.GetValueOrDefault((step.Choice, signature.Index), "");
                WriteThought(output, step.Choice, signature.Index, new(text2, signature.Signature, null, signature.Origin));
                break;
            case ChatEvent.ThinkRedacted redacted:
                WriteThought(output, step.Choice, redacted.Index, new("", null, redacted.Data, redacted.Origin));
                break;
            case ChatEvent.ToolStart tool:
                var call = new Call(calls.Keys.Count(other => other.Choice == step.Choice));
                calls[(step.Choice, tool.Index)] = call;
                WriteCall(output, step.Choice, call, ToolNames.OpenAiId(tool.Id), tool.Name, "", tool.Signature);
                break;
            case ChatEvent.ToolArgs arguments:
                WriteArguments(output, step.Choice, arguments.Index, arguments.Fragment);
                break;
            case ChatEvent.ToolEnd end when calls.TryGetValue((step.Choice, end.Index), out var ended) && !ended.HasArguments:
                // A client parses the arguments, and nothing is not JSON.
                WriteArguments(output, step.Choice, end.Index, "{}");
                break;
            case ChatEvent.Usage figures:
                usage = figures.Tokens;
                break;
            case ChatEvent.Finish finish:
                WriteAnnotations(output, step.Choice);
                WriteFinish(output, step.Choice, OpenAiAnswerWriter.FinishOf(finish.Reason, request.LegacyFunctions));
                break;
            case ChatEvent.Failed failure:
                failed = true;
                OpenAiErrors.WriteFrame(failure.Failure, output);
                break;
            case ChatEvent.End when !failed:
                WriteEnd(output);
                break;
        }
    }

    public void KeepAlive(IBufferWriter<byte> output) => output.Write(": keep-alive\n\n"u8);

    private byte[] Prefix(string model)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        var json = SseOutput.Open(buffer, "data: "u8);
        json.WriteStartObject();
        json.WriteString("id"u8, head.Id);
        json.WriteString("object"u8, "chat.completion.chunk"u8);
        json.WriteNumber("created"u8, head.Created);
        json.WriteString("model"u8, model);
        json.WriteNull("system_fingerprint"u8);
        json.WriteStartArray("choices"u8);
        JsonOutput.Close(json);
        return buffer.WrittenSpan.ToArray();
    }

    private void Open(int choice, IBufferWriter<byte> output)
    {
        if (opened.Contains(choice))
        {
            return;
        }
        if (prefix.Length == 0)
        {
            prefix = Prefix(request.Model);
        }
        opened.Add(choice);
        var json = OpenDelta(output, choice);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("content"u8, ""u8);
        json.WriteNull("refusal"u8);
        CloseDelta(output, json);
    }

    private void WriteDelta(IBufferWriter<byte> output, int choice, ReadOnlySpan<byte> field, string text)
    {
        Open(choice, output);
        var json = OpenDelta(output, choice);
        json.WriteString(field, text);
        CloseDelta(output, json);
    }

    private void WriteThought(IBufferWriter<byte> output, int choice, int index, Part.Thinking thought)
    {
        Open(choice, output);
        var json = OpenDelta(output, choice);
        json.WriteStartArray("reasoning_details"u8);
        OpenAiReasoning.WriteDetail(json, thought, index);
        json.WriteEndArray();
        CloseDelta(output, json);
    }

    // At the end, as OpenAI does it: where a passage stands may not be known before.
    private void WriteAnnotations(IBufferWriter<byte> output, int choice)
    {
        if (texts.TryGetValue(choice, out var text) && text.HasCitations)
        {
            Open(choice, output);
            var json = OpenDelta(output, choice);
            OpenAiAnnotations.WriteChat(json, text.ToParts());
            CloseDelta(output, json);
        }
    }

    private CitedText TextOf(int choice) => texts.TryGetValue(choice, out var text) ? text : texts[choice] = new();

    private void WriteArguments(IBufferWriter<byte> output, int choice, int index, string fragment)
    {
        if (fragment.Length > 0 && calls.TryGetValue((choice, index), out var call))
        {
            call.HasArguments = true;
            WriteCall(output, choice, call, null, null, fragment);
        }
    }

    private void WriteCall(
        IBufferWriter<byte> output, int choice, Call call, string? id, string? name, string arguments, string? signature = null)
    {
        Open(choice, output);
        var json = OpenDelta(output, choice);
        if (request.LegacyFunctions)
        {
            json.WriteStartObject("function_call"u8);
        }
        else
        {
            json.WriteStartArray("tool_calls"u8);
            json.WriteStartObject();
            json.WriteNumber("index"u8, call.Position);
            if (id is not null)
            {
                json.WriteString("id"u8, id);
                json.WriteString("type"u8, "function"u8);
            }
            json.WriteStartObject("function"u8);
        }
        json.WriteIfAny("name", name);
        json.WriteString("arguments"u8, arguments);
        json.WriteEndObject();
        if (!request.LegacyFunctions)
        {
            OpenAiReasoning.WriteSignature(json, signature);
            json.WriteEndObject();
            json.WriteEndArray();
        }
        CloseDelta(output, json);
    }

    private void WriteFinish(IBufferWriter<byte> output, int choice, string reason)
    {
        Open(choice, output);
        var json = OpenDelta(output, choice);
        json.WriteEndObject();
        json.WriteNull("logprobs"u8);
        json.WriteString("finish_reason"u8, reason);
        json.WriteEndObject();
        JsonOutput.Close(json);
        CloseChunk(output);
    }

    private void WriteEnd(IBufferWriter<byte> output)
    {
        if (request.IncludeUsage)
        {
            output.Write(prefix.Length > 0 ? prefix : Prefix(request.Model));
            output.Write("],"u8);
            var buffer = JsonOutput.Open(output);
            OpenAiUsage.Write(buffer, usage);
            JsonOutput.Close(buffer);
            output.Write("}\n\n"u8);
        }
        output.Write("data: [DONE]\n\n"u8);
    }

    private Utf8JsonWriter OpenDelta(IBufferWriter<byte> output, int choice)
    {
        var json = SseOutput.Open(output, prefix);
        json.WriteStartObject();
        json.WriteNumber("index"u8, choice);
        json.WriteStartObject("delta"u8);
        return json;
    }

    private void CloseDelta(IBufferWriter<byte> output, Utf8JsonWriter json)
    {
        json.WriteEndObject();
        json.WriteNull("logprobs"u8);
        json.WriteNull("finish_reason"u8);
        json.WriteEndObject();
        JsonOutput.Close(json);
        CloseChunk(output);
    }

    private void CloseChunk(IBufferWriter<byte> output) => output.Write(request.IncludeUsage ? "],\"usage\":null}\n\n"u8 : "]}\n\n"u8);

    private sealed class Call(int position)
    {
        public int Position => position;

        public bool HasArguments { get; set; }
    }
}
