using System.Runtime.InteropServices;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>A provider's stream of message events.</summary>
internal sealed class AnthropicStreamReader(ChatRequest request, DialectTarget target) : IChatStreamReader
{
    private readonly Dictionary<int, Block> blocks = [];
    private readonly Dictionary<string, string>? originals = ToolNames.Originals(request, ToolNames.AnthropicLimit);
    private readonly AnthropicTextFilter filter = new(request, target);
    private AnthropicUsage usage;
    private bool started;
    private bool finished;
    private bool ended;
    private long quarters;

    private enum BlockKind
    {
        Text,
        Thinking,
        Tool,
        Format,
        Ignored,
    }

    public void Read(string eventType, ReadOnlySpan<byte> data, List<ChatEvent> events)
    {
        if (ended || data.IsEmpty || eventType == "ping")
        {
            return;
        }
        try
        {
            if (eventType == "content_block_delta")
            {
                ReadDelta(data, events);
                return;
            }
            using var document = JsonDocument.Parse(data.ToArray());
            ReadEvent(document.RootElement, data, events);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            Fail(ProviderRefusals.Unreadable("an event is not valid JSON"), events);
        }
    }

    public void End(List<ChatEvent> events)
    {
        if (ended)
        {
            return;
        }
        if (!finished)
        {
            Fail(ProviderRefusals.ClosedEarly(), events);
            return;
        }
        ended = true;
        events.Add(new ChatEvent.End());
    }

    private void ReadEvent(JsonElement step, ReadOnlySpan<byte> data, List<ChatEvent> events)
    {
        switch (step.TextOf("type"))
        {
            case "message_start":
                var message = step.Member("message");
                Start(message.TextOf("id"), message.TextOf("model"), events);
                MergeUsage(message.Member("usage"), events);
                break;
            case "content_block_start":
                Start(null, null, events);
                OpenBlock(IndexOf(step), step.Member("content_block"), events);
                break;
            case "content_block_delta":
                ReadDelta(data, events);
                break;
            case "content_block_stop":
                CloseBlock(IndexOf(step), events);
                break;
            case "message_delta":
                MergeUsage(step.Member("usage"), events);
                Finish(step.Member("delta"), events);
                break;
            case "message_stop":
                End(events);
                break;
            case "error":
                Fail(AnthropicErrors.Map(new(200), step), events);
                break;
        }
    }

    private void Start(string? id, string? model, List<ChatEvent> events)
    {
        if (!started)
        {
            started = true;
            events.Add(new ChatEvent.Start(id ?? "", model is { Length: > 0 } ? model : request.Model));
        }
    }

    private void OpenBlock(int index, JsonElement content, List<ChatEvent> events)
    {
        var block = new Block();
        blocks[index] = block;
        switch (content.TextOf("type"))
        {
            case "text":
                block.Kind = BlockKind.Text;
                Text(index, block, content.TextOf("text") ?? "", events);
                break;
            case "thinking":
                block.Kind = BlockKind.Thinking;
                Thought(index, block, content.TextOf("thinking") ?? "", events);
                break;
            case "redacted_thinking":
                events.Add(new ChatEvent.ThinkRedacted(index, content.TextOf("data") ?? "", Dialect.Anthropic));
                break;
            case "tool_use" when filter.IsEmulating && content.TextOf("name") == AnthropicFormat.ToolName:
                block.Kind = BlockKind.Format;
                filter.Discard();
                break;
            case "tool_use":
                block.Kind = BlockKind.Tool;
                block.Input = content.Member("input") is { ValueKind: JsonValueKind.Object } input && input.EnumerateObject().Any()
                    ? JsonOutput.Compact(input)
                    : "";
                var name = originals.Original(content.TextOf("name") ?? "");
                var id = content.TextOf("id") is { Length: > 0 } given ? given : ToolNames.MakeId(0, index, name, "");
                quarters += TokenEstimate.Quarters(name);
                events.Add(new ChatEvent.ToolStart(index, id, name));
                break;
        }
    }

    private void ReadDelta(ReadOnlySpan<byte> data, List<ChatEvent> events)
    {
        var (index, kind, text) = AnthropicDelta.Read(data);
        if (kind == DeltaKind.Citation)
        {
            ReadCitation(index, data, events);
            return;
        }
        if (text is not { Length: > 0 } || !blocks.TryGetValue(index, out var block))
        {
            return;
        }
        switch (kind, block.Kind)
        {
            case (DeltaKind.Text, BlockKind.Text):
                Text(index, block, text, events);
                break;
            case (DeltaKind.Json, BlockKind.Tool):
                Arguments(index, block, text, events);
                break;
            case (DeltaKind.Json, BlockKind.Format):
                Emit(index, filter.TakeFormat(block.Carry.Take(text)), events);
                break;
            case (DeltaKind.Thinking, BlockKind.Thinking):
                Thought(index, block, text, events);
                break;
            case (DeltaKind.Signature, BlockKind.Thinking):
                events.Add(new ChatEvent.ThinkSignature(index, text, Dialect.Anthropic));
                break;
        }
    }

    private static void ReadCitation(int index, ReadOnlySpan<byte> data, List<ChatEvent> events)
    {
        using var document = JsonDocument.Parse(data.ToArray());
        if (document.RootElement.Member("delta").Member("citation") is { ValueKind: JsonValueKind.Object } citation)
        {
            events.Add(new ChatEvent.Cited(index, AnthropicCitations.ReadOne(citation)));
        }
    }

    private void Text(int index, Block block, string text, List<ChatEvent> events) =>
        Emit(index, filter.TakeText(index, block.Carry.Take(text)), events);

    private void Emit(int index, string text, List<ChatEvent> events)
    {
        if (text.Length > 0)
        {
            quarters += TokenEstimate.Quarters(text);
            events.Add(new ChatEvent.TextDelta(index, text));
        }
    }

    private void Thought(int index, Block block, string text, List<ChatEvent> events)
    {
        var ready = block.Carry.Take(text);
        if (ready.Length > 0)
        {
            quarters += TokenEstimate.Quarters(ready);
            events.Add(new ChatEvent.ThinkDelta(index, ready, Dialect.Anthropic));
        }
    }

    private void Arguments(int index, Block block, string text, List<ChatEvent> events)
    {
        var ready = block.Carry.Take(text);
        if (ready.Length > 0)
        {
            block.HasArguments = true;
            quarters += TokenEstimate.Quarters(ready);
            events.Add(new ChatEvent.ToolArgs(index, ready));
        }
    }

    private void CloseBlock(int index, List<ChatEvent> events)
    {
        if (!blocks.TryGetValue(index, out var block) || block.IsClosed)
        {
            return;
        }
        block.IsClosed = true;
        if (block.Kind == BlockKind.Format)
        {
            Emit(index, filter.CloseFormat(), events);
        }
        else if (block.Kind == BlockKind.Tool)
        {
            // Some servers give the whole input at the start and no deltas.
            if (!block.HasArguments && block.Input.Length > 0)
            {
                Arguments(index, block, block.Input, events);
            }
            events.Add(new ChatEvent.ToolEnd(index));
        }
    }

    private void MergeUsage(JsonElement figures, List<ChatEvent> events)
    {
        if (figures.ValueKind == JsonValueKind.Object && usage.Merge(JsonMarshal.GetRawUtf8Value(figures)))
        {
            events.Add(new ChatEvent.Usage(usage.Tokens));
        }
    }

    private void Finish(JsonElement delta, List<ChatEvent> events)
    {
        if (finished || delta.TextOf("stop_reason") is not { } reason)
        {
            return;
        }
        finished = true;
        foreach (var index in blocks.Keys.Order().ToList())
        {
            CloseBlock(index, events);
        }
        Emit(filter.TextIndex, filter.Rest(), events);
        var hasCalls = blocks.Values.Any(block => block.Kind == BlockKind.Tool);
        if (!usage.IsKnown)
        {
            events.Add(new ChatEvent.Usage(new(TokenEstimate.Of(request), (quarters + 3) / 4, Estimated: true)));
        }
        events.Add(new ChatEvent.Finish(AnthropicAnswers.ReasonOf(reason, hasCalls), delta.TextOf("stop_sequence")));
    }

    private void Fail(Failure failure, List<ChatEvent> events)
    {
        ended = true;
        events.Add(new ChatEvent.Failed(failure));
        events.Add(new ChatEvent.End());
    }

    private static int IndexOf(JsonElement step) =>
        step.Member("index") is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var index) ? index : 0;

    private sealed class Block
    {
        public StreamText Carry;

        public BlockKind Kind { get; set; } = BlockKind.Ignored;

        public string Input { get; set; } = "";

        public bool HasArguments { get; set; }

        public bool IsClosed { get; set; }
    }
}
