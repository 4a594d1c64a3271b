using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>One choice of a provider's stream: which blocks are open, and which call a fragment belongs to.</summary>
internal sealed class OpenAiChoiceStream(int number, Dictionary<string, string>? originals)
{
    private readonly List<Call> calls = [];
    private int blocks;
    private int text = -1;
    private int thoughts = -1;
    private int refusal = -1;
    private StreamText textCarry;
    private StreamText thoughtCarry;

    public int Number => number;

    public bool IsFinished { get; private set; }

    public Failure? Failure { get; private set; }

    /// <summary>The length of everything said so far, in quarters of a token.</summary>
    public long Quarters { get; private set; }

    public void Apply(OpenAiChunk.Delta delta, List<ChatEvent> events)
    {
        if (IsFinished)
        {
            return;
        }
        if (delta.Thoughts is { Length: > 0 } thinking && thoughtCarry.Take(thinking) is { Length: > 0 } thought)
        {
            Count(thought);
            events.Add(new ChatEvent.ThinkDelta(Block(ref thoughts), thought, Dialect.OpenAi) { Choice = number });
        }
        if (delta.Content is { Length: > 0 } content && textCarry.Take(content) is { Length: > 0 } words)
        {
            Count(words);
            events.Add(new ChatEvent.TextDelta(Block(ref text), words) { Choice = number });
        }
        foreach (var citation in delta.Citations)
        {
            events.Add(new ChatEvent.Cited(Block(ref text), citation) { Choice = number });
        }
        if (delta.Refusal is { Length: > 0 } words2)
        {
            Count(words2);
            events.Add(new ChatEvent.RefusalDelta(Block(ref refusal), words2) { Choice = number });
        }
        foreach (var fragment in delta.Calls)
        {
            Apply(fragment, events);
        }
        if (delta.Finish is { } finish)
        {
            Finish(finish, events);
        }
    }

    private void Apply(OpenAiChunk.Call fragment, List<ChatEvent> events)
    {
        var call = Find(fragment);
        if (call is null)
        {
            call = new() { Block = blocks++, Source = fragment.Index };
            calls.Add(call);
        }
        call.Id ??= fragment.Id;
        call.Name ??= fragment.Name;
        if (!call.IsStarted && call.Name is { } name)
        {
            call.IsStarted = true;
            call.Id ??= ToolNames.MakeId(number, call.Block, name, "");
            Count(name);
            events.Add(new ChatEvent.ToolStart(call.Block, call.Id, originals.Original(name)) { Choice = number });
            Emit(call, call.Early, events);
        }
        if (fragment.Arguments is { Length: > 0 } arguments)
        {
            if (call.IsStarted)
            {
                Emit(call, arguments, events);
            }
            else
            {
                call.Early += arguments;
            }
            call.HasArguments = true;
        }
    }

    // By index; a new id at an old index is a new call. Without an index by id, else the last one, unless a name begins another.
    private Call? Find(OpenAiChunk.Call fragment)
    {
        if (fragment.Index is { } index)
        {
            var call = calls.FindLast(call => call.Source == index);
            return call?.Id is not null && fragment.Id is not null && call.Id != fragment.Id ? null : call;
        }
        if (fragment.Id is { } id)
        {
            return calls.FindLast(call => call.Id == id);
        }
        var last = calls.Count > 0 ? calls[^1] : null;
        return fragment.Name is { } name && last is not null && (last.HasArguments || last.Name != name) ? null : last;
    }

    private void Emit(Call call, string fragment, List<ChatEvent> events)
    {
        if (call.Carry.Take(fragment) is { Length: > 0 } arguments)
        {
            Count(arguments);
            events.Add(new ChatEvent.ToolArgs(call.Block, arguments) { Choice = number });
        }
    }

    private void Finish(string finish, List<ChatEvent> events)
    {
        IsFinished = true;
        foreach (var call in calls.Where(call => call.IsStarted))
        {
            events.Add(new ChatEvent.ToolEnd(call.Block) { Choice = number });
        }
        var reason = OpenAiAnswerReader.ReasonOf(finish, calls.Exists(call => call.IsStarted), refusal >= 0);
        if (reason == FinishReason.Error)
        {
            Failure = ProviderRefusals.Map(new(500), "", "The provider stopped with an error.");
            return;
        }
        events.Add(new ChatEvent.Finish(reason) { Choice = number });
    }

    private int Block(ref int index) => index < 0 ? index = blocks++ : index;

    private void Count(string words) => Quarters += TokenEstimate.Quarters(words);

    private sealed class Call
    {
        public StreamText Carry;

        public int Block { get; init; }

        public int? Source { get; init; }

        public string? Id { get; set; }

        public string? Name { get; set; }

        /// <summary>Arguments that came before the name.</summary>
        public string Early { get; set; } = "";

        public bool IsStarted { get; set; }

        public bool HasArguments { get; set; }
    }
}
