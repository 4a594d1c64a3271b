using System.Buffers;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects.Anthropic;

/// <summary>
/// A client's stream of message events. Blocks follow strictly one after another, so what arrives for another block while a call is
/// still open waits until that call is complete.
/// </summary>
internal sealed class AnthropicStreamWriter(ChatRequest request, AnswerHead head, bool isNewer) : IChatStreamWriter
{
    private readonly List<AnthropicBlock> blocks = [];
    private readonly Queue<AnthropicBlock> waiting = [];
    private readonly List<ChatEvent.Cited> early = [];
    private AnthropicBlock? current;
    private int position;
    private TokenUsage? usage;
    private ChatEvent.Finish? finish;
    private bool failed;

    public void Write(ChatEvent step, IBufferWriter<byte> output)
    {
        // The dialect has one answer; a request for more is refused before it comes here.
        if (failed || step.Choice != 0)
        {
            return;
        }
        switch (step)
        {
            case ChatEvent.Start start:
                WriteStart(start.Model, output);
                break;
            case ChatEvent.TextDelta text:
                Append(Find(text.Index, AnthropicBlockKind.Text), text.Text, output);
                break;
            case ChatEvent.Cited cited:
                Cite(cited, output);
                break;
            case ChatEvent.RefusalDelta refusal:
                Append(Find(refusal.Index, AnthropicBlockKind.Text), refusal.Text, output);
                break;
            case ChatEvent.ThinkDelta thought:
                Append(Find(thought.Index, AnthropicBlockKind.Thinking), thought.Text, output);
                break;
            case ChatEvent.ThinkSignature signature:
                Sign(Find(signature.Index, AnthropicBlockKind.Thinking), ThoughtOrigin.Mark(signature.Signature, signature.Origin), output);
                break;
            case ChatEvent.ThinkRedacted redacted:
                Append(Find(redacted.Index, AnthropicBlockKind.Redacted), ThoughtOrigin.Mark(redacted.Data, redacted.Origin), output);
                break;
            case ChatEvent.ToolStart tool:
                if (tool.Signature is { } proof)
                {
                    Append(Find(tool.Index, AnthropicBlockKind.Redacted), ThoughtOrigin.Mark(proof, Dialect.Gemini), output);
                }
                var call = Find(tool.Index, AnthropicBlockKind.Tool);
                (call.Id, call.Name) = (tool.Id, tool.Name);
                Append(call, "", output);
                break;
            case ChatEvent.ToolArgs arguments:
                Append(Find(arguments.Index, AnthropicBlockKind.Tool), arguments.Fragment, output);
                break;
            case ChatEvent.ToolEnd end:
                EndTool(Find(end.Index, AnthropicBlockKind.Tool), output);
                break;
            case ChatEvent.Usage figures:
                usage = figures.Tokens;
                break;
            case ChatEvent.Finish reason:
                finish = reason;
                CloseAll(output);
                break;
            case ChatEvent.Failed failure:
                failed = true;
                AnthropicErrors.WriteFrame(failure.Failure, head.RequestId, output);
                break;
            case ChatEvent.End:
                WriteEnd(output);
                break;
        }
    }

    public void KeepAlive(IBufferWriter<byte> output) => output.Write("event: ping\ndata: {\"type\":\"ping\"}\n\n"u8);

    private void WriteStart(string model, IBufferWriter<byte> output)
    {
        var json = AnthropicFrames.Open(output, "event: message_start\ndata: "u8, "message_start"u8);
        json.WriteStartObject("message"u8);
        json.WriteString("id"u8, head.Id);
        json.WriteString("type"u8, "message"u8);
        json.WriteString("role"u8, "assistant"u8);
        json.WriteString("model"u8, model);
        json.WriteStartArray("content"u8);
        json.WriteEndArray();
        json.WriteNull("stop_reason"u8);
        json.WriteNull("stop_sequence"u8);
        AnthropicAnswers.WriteExtras(json, isNewer);

        // Most providers count at the end; the exact figures follow in message_delta.
        AnthropicUsage.Write(json, usage ?? new(TokenEstimate.Of(request), 1), isNewer);
        json.WriteEndObject();
        AnthropicFrames.Close(output, json);
        KeepAlive(output);
    }

    private AnthropicBlock Find(int index, AnthropicBlockKind kind)
    {
        var block = blocks.Find(block => block.Index == index && block.Kind == kind && !block.IsClosed);
        if (block is null)
        {
            block = new(index, kind);
            blocks.Add(block);
            if (kind == AnthropicBlockKind.Text)
            {
                early.FindAll(cited => cited.Index == index).ForEach(cited => Cite(block, cited.Citation));
                early.RemoveAll(cited => cited.Index == index);
            }
        }
        return block;
    }

    private void Append(AnthropicBlock block, string fragment, IBufferWriter<byte> output)
    {
        if (block != current && current is { Kind: AnthropicBlockKind.Tool })
        {
            if (!waiting.Contains(block))
            {
                waiting.Enqueue(block);
            }
            block.Buffer.Append(fragment);
            return;
        }
        if (block != current)
        {
            CloseCurrent(output);
            Open(block, fragment, output);
        }
        AnthropicFrames.WriteDelta(block, fragment, output);
        AnthropicFrames.WriteCitations(block, output);
    }

    private void Sign(AnthropicBlock block, string signature, IBufferWriter<byte> output)
    {
        block.Signature = signature;
        Append(block, "", output);
        if (block == current)
        {
            AnthropicFrames.WriteSignature(block, output);
        }
    }

    private void Cite(ChatEvent.Cited cited, IBufferWriter<byte> output)
    {
        var texts = blocks.FindAll(block => block.Kind == AnthropicBlockKind.Text);
        // A block that is over takes no more: then the text that is being told has it.
        var block = texts.Find(block => block.Index == cited.Index && !block.IsClosed)
            ?? (texts.Exists(block => block.Index == cited.Index) ? texts.Find(block => !block.IsClosed) : null);
        if (block is not null)
        {
            Cite(block, cited.Citation);
            if (block == current)
            {
                AnthropicFrames.WriteCitations(block, output);
            }
        }
        else if (!texts.Exists(text => text.Index == cited.Index))
        {
            early.Add(cited);
        }
    }

    private static void Cite(AnthropicBlock block, Citation citation)
    {
        if (Citation.PageOf(citation.Words) is { } page && block.Cited.Add(page))
        {
            block.Citations.Enqueue(citation);
        }
    }

    private void EndTool(AnthropicBlock block, IBufferWriter<byte> output)
    {
        block.IsEnded = true;
        if (block != current)
        {
            return;
        }
        CloseCurrent(output);
        while (current is not { Kind: AnthropicBlockKind.Tool } && waiting.TryDequeue(out var next))
        {
            Release(next, output);
        }
    }

    private void CloseAll(IBufferWriter<byte> output)
    {
        CloseCurrent(output);
        while (waiting.TryDequeue(out var next))
        {
            Release(next, output);
        }
        CloseCurrent(output);
    }

    private void Release(AnthropicBlock block, IBufferWriter<byte> output)
    {
        var text = block.Buffer.ToString();
        CloseCurrent(output);
        Open(block, text, output);
        AnthropicFrames.WriteDelta(block, text, output);
        AnthropicFrames.WriteSignature(block, output);
        AnthropicFrames.WriteCitations(block, output);
        if (block.IsEnded)
        {
            CloseCurrent(output);
        }
    }

    private void Open(AnthropicBlock block, string fragment, IBufferWriter<byte> output)
    {
        current = block;
        block.Position = position++;
        AnthropicFrames.WriteStart(block, fragment, output);
    }

    private void CloseCurrent(IBufferWriter<byte> output)
    {
        if (current is not { } block)
        {
            return;
        }
        current = null;
        block.IsClosed = true;
        AnthropicFrames.WriteStop(block, output);
    }

    private void WriteEnd(IBufferWriter<byte> output)
    {
        CloseAll(output);
        var json = AnthropicFrames.Open(output, "event: message_delta\ndata: "u8, "message_delta"u8);
        json.WriteStartObject("delta"u8);
        json.WriteString("stop_reason"u8, AnthropicAnswers.ReasonFor(finish?.Reason ?? FinishReason.Stop, isNewer));
        json.WriteString("stop_sequence"u8, finish?.StopSequence);
        AnthropicAnswers.WriteExtras(json, isNewer);
        json.WriteEndObject();
        AnthropicUsage.Write(json, usage ?? default, isNewer);
        AnthropicFrames.Close(output, json);
        output.Write("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"u8);
    }
}
