using System.Text.Json;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary>A provider's stream: each event is a <c>GenerateContentResponse</c> with what is new; it ends with its connection.</summary>
internal sealed class GeminiStreamReader(ChatRequest request) : IChatStreamReader
{
    private readonly Dictionary<string, string>? originals = ToolNames.GeminiOriginals(request);
    private readonly List<Candidate> candidates = [];
    private TokenUsage? usage;
    private bool started;
    private bool ended;
    private long quarters;

    private enum BlockKind
    {
        None,
        Text,
        Thinking,
    }

    public void Read(string eventType, ReadOnlySpan<byte> data, List<ChatEvent> events)
    {
        if (ended || data.IsEmpty)
        {
            return;
        }
        try
        {
            using var document = JsonDocument.Parse(data.ToArray());
            ReadChunk(document.RootElement, events);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            Fail(ProviderRefusals.Unreadable("an event is not valid JSON"), events);
        }
        catch (Failure failure)
        {
            Fail(failure, events);
        }
    }

    public void End(List<ChatEvent> events)
    {
        if (ended)
        {
            return;
        }
        if (candidates.Count == 0 || !candidates.TrueForAll(candidate => candidate.IsFinished))
        {
            Fail(ProviderRefusals.ClosedEarly(), events);
            return;
        }
        if (usage is null)
        {
            events.Add(new ChatEvent.Usage(new(TokenEstimate.Of(request), (quarters + 3) / 4, Estimated: true)));
        }
        ended = true;
        events.Add(new ChatEvent.End());
    }

    private void ReadChunk(JsonElement chunk, List<ChatEvent> events)
    {
        if (chunk.ValueKind != JsonValueKind.Object)
        {
            throw ProviderRefusals.Unreadable("an event is not a JSON object");
        }
        if (GeminiAnswers.FailureOf(chunk) is { } failure)
        {
            throw failure;
        }
        foreach (var given in chunk.ItemsOf("candidates"))
        {
            ReadCandidate(given, chunk, events);
        }

        // The figures grow from chunk to chunk; most repeat the last.
        if (GeminiAnswers.UsageOf(chunk.Member("usageMetadata")) is { } figures && figures != usage)
        {
            usage = figures;
            events.Add(new ChatEvent.Usage(figures));
        }
    }

    private void ReadCandidate(JsonElement given, JsonElement chunk, List<ChatEvent> events)
    {
        var candidate = CandidateOf(given);
        if (candidate.IsFinished)
        {
            return;
        }
        foreach (var part in given.Member("content").ItemsOf("parts"))
        {
            Start(chunk, events);
            ReadPart(candidate, part, events);
        }
        candidate.Cites(given);
        if (given.TextOf("finishReason") is not { } finish)
        {
            return;
        }
        var (reason, failure) = GeminiAnswers.ReasonOf(finish, candidate.HasCalls);
        if (failure is not null)
        {
            // Before the start: as long as the client has seen nothing, the question may be put again.
            throw failure;
        }
        Start(chunk, events);
        candidate.IsFinished = true;
        if (candidate.TextBlock is { } text)
        {
            events.AddRange(candidate.Citations.Select(citation => new ChatEvent.Cited(text, citation) { Choice = candidate.Number }));
        }
        events.Add(new ChatEvent.Finish(reason) { Choice = candidate.Number });
    }

    private void Start(JsonElement chunk, List<ChatEvent> events)
    {
        if (!started)
        {
            started = true;
            events.Add(new ChatEvent.Start(
                chunk.TextOf("responseId") ?? "", chunk.TextOf("modelVersion") is { Length: > 0 } model ? model : request.Model));
        }
    }

    private void ReadPart(Candidate candidate, JsonElement part, List<ChatEvent> events)
    {
        if (part.Member("functionCall").IsPresent())
        {
            var block = candidate.Open(BlockKind.None);
            var call = GeminiAnswers.ReadCall(part, candidate.Number, block, originals);
            candidate.HasCalls = true;
            Count(call.Name);
            Count(call.Arguments);
            events.Add(new ChatEvent.ToolStart(block, call.Id, call.Name) { Choice = candidate.Number, Signature = call.Signature });
            events.Add(new ChatEvent.ToolArgs(block, call.Arguments) { Choice = candidate.Number });
            events.Add(new ChatEvent.ToolEnd(block) { Choice = candidate.Number });
            return;
        }
        var text = part.TextOf("text") ?? "";
        var signature = part.TextOf("thoughtSignature");
        var isThought = part.Member("thought").ValueKind == JsonValueKind.True;
        Count(text);
        if (text.Length > 0)
        {
            var block = candidate.Open(isThought ? BlockKind.Thinking : BlockKind.Text);
            events.Add(isThought
                ? new ChatEvent.ThinkDelta(block, text, Dialect.Gemini) { Choice = candidate.Number }
                : new ChatEvent.TextDelta(block, text) { Choice = candidate.Number });
        }
        if (signature is not null)
        {
            events.Add(isThought
                ? new ChatEvent.ThinkSignature(candidate.Open(BlockKind.Thinking), signature, Dialect.Gemini) { Choice = candidate.Number }
                : new ChatEvent.ThinkRedacted(candidate.Open(BlockKind.None), signature, Dialect.Gemini) { Choice = candidate.Number });
        }
    }

    private Candidate CandidateOf(JsonElement given)
    {
        var index = given.Member("index");
        var number = index.ValueKind == JsonValueKind.Number && index.TryGetInt32(out var value) && value >= 0 ? value : 0;
        var candidate = candidates.Find(candidate => candidate.Number == number);
        if (candidate is null)
        {
            candidate = new(number);
            candidates.Add(candidate);
        }
        return candidate;
    }

    private void Count(string words) => quarters += TokenEstimate.Quarters(words);

    private void Fail(Failure failure, List<ChatEvent> events)
    {
        ended = true;
        events.Add(new ChatEvent.Failed(failure));
        events.Add(new ChatEvent.End());
    }

    private sealed class Candidate(int number)
    {
        private BlockKind open;
        private int blocks;

        public int Number => number;

        public bool HasCalls { get; set; }

        public bool IsFinished { get; set; }

        /// <summary>The first block of text.</summary>
        public int? TextBlock { get; private set; }

        public IReadOnlyList<Citation> Citations { get; private set; } = [];

        /// <summary>Chunks repeat what those before them have said of the sources; the last one has all.</summary>
        public void Cites(JsonElement given)
        {
            var (grounding, recited) = (given.Member("groundingMetadata"), given.Member("citationMetadata"));
            if (grounding.ValueKind == JsonValueKind.Object || recited.ValueKind == JsonValueKind.Object)
            {
                Citations = [.. GeminiCitations.Read(grounding, recited)];
            }
        }

        /// <summary>The block that a part belongs to. What follows its like goes on with it, but never with one of no kind.</summary>
        public int Open(BlockKind kind)
        {
            if (kind == BlockKind.None || kind != open)
            {
                open = kind;
                blocks++;
                TextBlock ??= kind == BlockKind.Text ? blocks - 1 : null;
            }
            return blocks - 1;
        }
    }
}
