using System.Text.Json;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>A provider's stream of <c>chat.completion.chunk</c>.</summary>
internal sealed class OpenAiStreamReader(ChatRequest request) : IChatStreamReader
{
    private readonly OpenAiChunk chunk = new();
    private readonly List<OpenAiChoiceStream> choices = [];
    private readonly Dictionary<string, string>? originals = ToolNames.Originals(request, ToolNames.OpenAiLimit);
    private bool started;
    private bool ended;
    private bool metered;

    public void Read(string eventType, ReadOnlySpan<byte> data, List<ChatEvent> events)
    {
        if (ended || data.IsEmpty)
        {
            return;
        }
        if (data.SequenceEqual("[DONE]"u8))
        {
            End(events);
            return;
        }
        try
        {
            chunk.Parse(data, withHead: !started);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            Fail(ProviderRefusals.Unreadable("an event is not valid JSON"), events);
            return;
        }
        if (chunk.HasError)
        {
            Fail(OpenAiErrors.Read(new(200), data.ToArray()), events);
            return;
        }
        Apply(events);
    }

    public void End(List<ChatEvent> events)
    {
        if (ended)
        {
            return;
        }
        if (choices.Count == 0 || !choices.TrueForAll(choice => choice.IsFinished))
        {
            Fail(ProviderRefusals.ClosedEarly(), events);
            return;
        }
        if (!metered)
        {
            var output = choices.Sum(choice => choice.Quarters);
            events.Add(new ChatEvent.Usage(new(TokenEstimate.Of(request), (output + 3) / 4, Estimated: true)));
        }
        ended = true;
        events.Add(new ChatEvent.End());
    }

    private void Apply(List<ChatEvent> events)
    {
        // Some servers open with a chunk that says nothing but filter results and has no id yet.
        if (!started && chunk.Choices.Count > 0)
        {
            started = true;
            events.Add(new ChatEvent.Start(chunk.Id ?? "", chunk.Model is { Length: > 0 } model ? model : request.Model));
        }
        foreach (var delta in chunk.Choices)
        {
            var choice = ChoiceOf(delta.Index);
            choice.Apply(delta, events);
            if (choice.Failure is { } failure)
            {
                Fail(failure, events);
                return;
            }
        }
        if (chunk.Usage is { } usage)
        {
            metered = true;
            events.Add(new ChatEvent.Usage(usage));
        }
    }

    private OpenAiChoiceStream ChoiceOf(int index)
    {
        var choice = choices.Find(choice => choice.Number == index);
        if (choice is null)
        {
            choice = new(index, originals);
            choices.Add(choice);
        }
        return choice;
    }

    private void Fail(Failure failure, List<ChatEvent> events)
    {
        ended = true;
        events.Add(new ChatEvent.Failed(failure));
        events.Add(new ChatEvent.End());
    }
}
