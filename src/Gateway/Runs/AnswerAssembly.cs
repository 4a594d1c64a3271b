using System.Text;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Runs;

/// <summary>Puts the steps of a streamed answer together to the whole one.</summary>
internal sealed class AnswerAssembly
{
    private readonly SortedDictionary<int, Block> blocks = [];

    public string Id { get; private set; } = "";

    public string Model { get; private set; } = "";

    public TokenUsage? Usage { get; private set; }

    public FinishReason? FinishReason { get; private set; }

    public string Text => string.Concat(Parts.OfType<Part.Text>().Select(part => part.Value));

    public IReadOnlyList<Part> Parts => [.. blocks.Values.Select(block => block.ToPart()).OfType<Part>()];

    /// <exception cref="Platform.Http.Failure">The step says that the stream has failed.</exception>
    public void Add(ChatEvent step)
    {
        switch (step)
        {
            case ChatEvent.Start start:
                (Id, Model) = (start.Id, start.Model);
                break;
            case ChatEvent.TextDelta delta:
                Of(delta.Index).Text.Append(delta.Text);
                break;
            case ChatEvent.RefusalDelta delta:
                Of(delta.Index).IsRefusal = true;
                Of(delta.Index).Text.Append(delta.Text);
                break;
            case ChatEvent.ThinkDelta delta:
                Of(delta.Index).Origin = delta.Origin;
                Of(delta.Index).Text.Append(delta.Text);
                break;
            case ChatEvent.ThinkSignature signature:
                (Of(signature.Index).Origin, Of(signature.Index).Signature) = (signature.Origin, signature.Signature);
                break;
            case ChatEvent.ThinkRedacted redacted:
                (Of(redacted.Index).Origin, Of(redacted.Index).Redacted) = (redacted.Origin, redacted.Data);
                break;
            case ChatEvent.ToolStart call:
                (Of(call.Index).Call, Of(call.Index).Signature) = (call, call.Signature);
                break;
            case ChatEvent.ToolArgs arguments:
                Of(arguments.Index).Text.Append(arguments.Fragment);
                break;
            case ChatEvent.Cited cited:
                (Of(cited.Index).Citations ??= []).Add(cited.Citation);
                break;
            case ChatEvent.Usage usage:
                Usage = usage.Tokens;
                break;
            case ChatEvent.Finish finish:
                FinishReason = finish.Reason;
                break;
            case ChatEvent.Failed failed:
                throw failed.Failure;
        }
    }

    public ChatAnswer ToAnswer(TokenUsage estimate) => new()
    {
        Id = Id,
        Model = Model,
        Choices = [new(Parts, FinishReason ?? Chat.FinishReason.Stop)],
        Usage = Usage ?? estimate,
    };

    private Block Of(int index)
    {
        if (!blocks.TryGetValue(index, out var block))
        {
            blocks[index] = block = new();
        }
        return block;
    }

    private sealed class Block
    {
        public StringBuilder Text { get; } = new();

        public Dialect? Origin { get; set; }

        public string? Signature { get; set; }

        public string? Redacted { get; set; }

        public bool IsRefusal { get; set; }

        public ChatEvent.ToolStart? Call { get; set; }

        public List<Citation>? Citations { get; set; }

        public Part? ToPart() =>
            Call is not null ? new Part.ToolCall(Call.Id, Call.Name, Text.ToString()) { Signature = Signature }
            : Origin is { } origin ? new Part.Thinking(Text.ToString(), Signature, Redacted, origin)
            : Text.Length == 0 ? null
            : IsRefusal ? new Part.Refusal(Text.ToString())
            : new Part.Text(Text.ToString()) { Citations = Citations ?? [] };
    }
}
