using System.Buffers;
using System.Text;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAiResponses;

/// <summary>A client's stream of response events. Each block of the answer is an item; the last event repeats the whole response.</summary>
internal sealed class ResponsesStreamWriter(ChatRequest request, AnswerHead head) : IChatStreamWriter
{
    private readonly List<Item> items = [];
    private string model = request.Model;
    private ResponsesState state = new("completed");
    private TokenUsage usage;
    private readonly List<ChatEvent.Cited> early = [];
    private int sequence;
    private bool started;
    private bool failed;

    public void Write(ChatEvent step, IBufferWriter<byte> output)
    {
        // There is one answer here; a request for several is refused before.
        switch (step)
        {
            case ChatEvent.Start start:
                model = start.Model;
                Begin(output);
                break;
            case ChatEvent.TextDelta text:
                Append(Find(text.Index, ItemKind.Text, output), text.Text, output);
                break;
            case ChatEvent.Cited cited:
                (CitedBy(cited)?.Citations ?? early).Add(cited);
                break;
            case ChatEvent.RefusalDelta refusal:
                Append(Find(refusal.Index, ItemKind.Refusal, output), refusal.Text, output);
                break;
            case ChatEvent.ThinkDelta thought:
                var thinking = Find(thought.Index, ItemKind.Thinking, output);
                thinking.Thoughts = thinking.Thoughts with { Origin = thought.Origin };
                Append(thinking, thought.Text, output);
                break;
            case ChatEvent.ThinkSignature signature:
                var signed = Find(signature.Index, ItemKind.Thinking, output);
                signed.Thoughts = signed.Thoughts with { Signature = signature.Signature, Origin = signature.Origin };
                break;
            case ChatEvent.ThinkRedacted redacted:
                var hidden = Find(redacted.Index, ItemKind.Thinking, output);
                hidden.Thoughts = hidden.Thoughts with { Redacted = redacted.Data, Origin = redacted.Origin };
                break;
            case ChatEvent.ToolStart tool:
                Open(new(tool.Index, ItemKind.Call) { CallId = tool.Id, Name = tool.Name }, output);
                break;
            case ChatEvent.ToolArgs arguments:
                Append(Find(arguments.Index, ItemKind.Call, output), arguments.Fragment, output);
                break;
            case ChatEvent.ToolEnd end when items.Find(item => item.Block == end.Index && item.Kind == ItemKind.Call) is { } call:
                Close(call, output);
                break;
            case ChatEvent.Usage figures:
                usage = figures.Tokens;
                break;
            case ChatEvent.Finish finish:
                state = ResponsesState.Of(finish.Reason);
                items.ForEach(item => Close(item, output));
                break;
            case ChatEvent.Failed failure:
                failed = true;
                Fail(failure.Failure, output);
                break;
            case ChatEvent.End when !failed:
                WriteResponse(output, $"response.{state.Status}", state, usage);
                break;
        }
    }

    public void KeepAlive(IBufferWriter<byte> output) => output.Write(": keep-alive\n\n"u8);

    private void Begin(IBufferWriter<byte> output)
    {
        if (!started)
        {
            started = true;
            WriteResponse(output, "response.created", ResponsesState.InProgress, null);
            WriteResponse(output, "response.in_progress", ResponsesState.InProgress, null);
        }
    }

    private void Fail(Failure failure, IBufferWriter<byte> output)
    {
        Begin(output);
        var code = failure.Kind is FailureKind.TooMany or FailureKind.Quota ? "rate_limit_exceeded" : "server_error";
        WriteResponse(output, "response.failed", new("failed", Error: (code, failure.Message)), null);
    }

    private Item Find(int block, ItemKind kind, IBufferWriter<byte> output)
    {
        if (items.Find(item => item.Block == block && item.Kind == kind) is { } open)
        {
            return open;
        }
        var item = new Item(block, kind);
        if (kind == ItemKind.Text)
        {
            item.Citations.AddRange(early.Where(cited => cited.Index == block));
        }
        Open(item, output);
        return item;
    }

    // A provider that cites at the end names its first text, whichever holds the passage. Null where its text is still to come.
    private Item? CitedBy(ChatEvent.Cited cited) =>
        (cited.Citation.Quote is { Length: > 0 } quote
            ? items.Find(item => item.Kind == ItemKind.Text && item.Text.ToString().Contains(quote, StringComparison.Ordinal))
            : null)
        ?? items.Find(item => item.Kind == ItemKind.Text && item.Block == cited.Index);

    // Calls may be told side by side; whatever else was open is over.
    private void Open(Item item, IBufferWriter<byte> output)
    {
        Begin(output);
        foreach (var other in items.Where(other => other.Kind != ItemKind.Call))
        {
            Close(other, output);
        }
        item.Output = items.Count;
        item.Id = ResponsesItems.IdOf(item.Part, head.Id, item.Output);
        items.Add(item);
        var json = OpenEvent(output, "response.output_item.added");
        json.WriteNumber("output_index"u8, item.Output);
        json.WritePropertyName("item"u8);
        if (item.IsMessage)
        {
            ResponsesItems.OpenMessage(json, item.Id, "in_progress");
            ResponsesItems.CloseMessage(json);
        }
        else
        {
            ResponsesItems.Write(json, item.Part, item.Id, "in_progress");
        }
        CloseEvent(output, json);
        if (item.IsMessage)
        {
            WritePart(output, item, "response.content_part.added");
        }
    }

    private void Append(Item item, string text, IBufferWriter<byte> output)
    {
        if (text.Length == 0 || item.IsDone)
        {
            return;
        }
        if (item is { Kind: ItemKind.Thinking, Text.Length: 0 })
        {
            WritePart(output, item, "response.reasoning_summary_part.added");
        }
        item.Text.Append(text);
        var json = OpenEvent(output, $"response.{item.Events}.delta", item);
        json.WriteString("delta"u8, text);
        if (item.Kind == ItemKind.Text)
        {
            WriteNoLogprobs(json);
        }
        CloseEvent(output, json);
    }

    private void Close(Item item, IBufferWriter<byte> output)
    {
        if (item.IsDone)
        {
            return;
        }
        if (item is { Kind: ItemKind.Call, Text.Length: 0 })
        {
            // A client parses the arguments, and nothing is not JSON.
            Append(item, "{}", output);
        }
        item.IsDone = true;
        WriteAnnotations(item, output);
        if (item.Kind != ItemKind.Thinking || item.Text.Length > 0)
        {
            var json = OpenEvent(output, $"response.{item.Events}.done", item);
            json.WriteString(
                item.Kind switch { ItemKind.Call => "arguments"u8, ItemKind.Refusal => "refusal"u8, _ => "text"u8 }, item.Text.ToString());
            if (item.Kind == ItemKind.Text)
            {
                WriteNoLogprobs(json);
            }
            json.WriteIfAny("name", item.Name);
            CloseEvent(output, json);
            if (item.Kind != ItemKind.Call)
            {
                WritePart(output, item, item.IsMessage ? "response.content_part.done" : "response.reasoning_summary_part.done");
            }
        }
        var done = OpenEvent(output, "response.output_item.done");
        done.WriteNumber("output_index"u8, item.Output);
        done.WritePropertyName("item"u8);
        ResponsesItems.Write(done, item.Part, item.Id, item.StatusIn(state));
        CloseEvent(output, done);
    }

    private void WriteAnnotations(Item item, IBufferWriter<byte> output)
    {
        if (item.Citations.Count == 0 || item.Part is not Part.Text text)
        {
            return;
        }
        foreach (var (number, words) in OpenAiAnnotations.Of(text).Index())
        {
            var json = OpenEvent(output, "response.output_text.annotation.added", item);
            json.WriteNumber("annotation_index"u8, number);
            json.WritePropertyName("annotation"u8);
            OpenAiAnnotations.WriteOne(json, words, text.Value.Length);
            CloseEvent(output, json);
        }
    }

    private void WritePart(IBufferWriter<byte> output, Item item, string type)
    {
        var json = OpenEvent(output, type, item);
        json.WritePropertyName("part"u8);
        if (item.IsMessage)
        {
            ResponsesItems.WriteContent(json, item.Part);
        }
        else
        {
            ResponsesThoughts.WriteSummary(json, item.Text.ToString());
        }
        CloseEvent(output, json);
    }

    private void WriteResponse(IBufferWriter<byte> output, string type, ResponsesState now, TokenUsage? figures)
    {
        var json = OpenEvent(output, type);
        json.WritePropertyName("response"u8);
        ResponsesObject.Write(json, request, head, model, now, (items, now), static (json, answer) =>
        {
            foreach (var item in answer.items)
            {
                ResponsesItems.Write(json, item.Part, item.Id, item.StatusIn(answer.now));
            }
        }, figures);
        CloseEvent(output, json);
    }

    private Utf8JsonWriter OpenEvent(IBufferWriter<byte> output, string type, Item? item = null)
    {
        output.Write("event: "u8);
        Encoding.ASCII.GetBytes(type, output);
        var json = SseOutput.Open(output, "\ndata: "u8);
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        json.WriteNumber("sequence_number"u8, sequence++);
        if (item is not null)
        {
            json.WriteString("item_id"u8, item.Id);
            json.WriteNumber("output_index"u8, item.Output);
            if (item.Kind != ItemKind.Call)
            {
                json.WriteNumber(item.IsMessage ? "content_index"u8 : "summary_index"u8, 0);
            }
        }
        return json;
    }

    private static void CloseEvent(IBufferWriter<byte> output, Utf8JsonWriter json)
    {
        json.WriteEndObject();
        SseOutput.Close(output, json);
    }

    private static void WriteNoLogprobs(Utf8JsonWriter json)
    {
        json.WriteStartArray("logprobs"u8);
        json.WriteEndArray();
    }

    private enum ItemKind
    {
        Text,
        Refusal,
        Thinking,
        Call,
    }

    private sealed class Item(int block, ItemKind kind)
    {
        public int Block => block;

        public ItemKind Kind => kind;

        public int Output { get; set; }

        public string Id { get; set; } = "";

        public string CallId { get; init; } = "";

        public string? Name { get; init; }

        public StringBuilder Text { get; } = new();

        public Part.Thinking Thoughts { get; set; } = new("", null, null, Dialect.OpenAiResponses);

        public List<ChatEvent.Cited> Citations { get; } = [];

        public bool IsDone { get; set; }

        public bool IsMessage => kind is ItemKind.Text or ItemKind.Refusal;

        /// <summary>The stem of this kind's events.</summary>
        public string Events => kind switch
        {
            ItemKind.Text => "output_text",
            ItemKind.Refusal => "refusal",
            ItemKind.Thinking => "reasoning_summary_text",
            ItemKind.Call => "function_call_arguments",
        };

        public Part Part => kind switch
        {
            ItemKind.Text => new Part.Text(Text.ToString()) { Citations = [.. Citations.Select(cited => cited.Citation)] },
            ItemKind.Refusal => new Part.Refusal(Text.ToString()),
            ItemKind.Thinking => Thoughts with { Value = Text.ToString() },
            ItemKind.Call => new Part.ToolCall(CallId, Name ?? "", Text.ToString()),
        };

        public string StatusIn(ResponsesState state) => state.Status == "completed" ? "completed" : IsDone ? "incomplete" : "in_progress";
    }
}
