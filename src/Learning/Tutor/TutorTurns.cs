using System.Globalization;
using System.Text;
using System.Text.Json;
using Stoa.Gateway;
using Stoa.Learning.Chat;
using Stoa.Learning.Submissions;

namespace Stoa.Learning.Tutor;

/// <summary>
/// Conversations as models are given them: what people said stays theirs, what the tutor answered is made readable again.
/// </summary>
internal sealed class TutorTurns(SubmissionStore submissions)
{
    /// <summary>Older recordings are named, not played: each is as long as many pages.</summary>
    private const int MaxRecordings = 4;

    public async Task<List<ModelTurn>> OfQuizAsync(IReadOnlyList<PastTurn> past, CancellationToken ct)
    {
        var played = Played(past);
        var turns = new List<ModelTurn>();
        foreach (var turn in past)
        {
            turns.Add(turn.Role == ChatRole.Assistant ? Said(ReadableAnswer(turn.Content))
                : await SaidByLearnerAsync(turn, played, ct));
        }
        return turns;
    }

    /// <summary>As they are.</summary>
    public static List<ModelTurn> OfTexts(IReadOnlyList<PastTurn> past) =>
        [.. past.Select(turn => turn.Role == ChatRole.Assistant ? Said(turn.Content) : Asked(turn.Content))];

    /// <summary>As they are, with the files of the latest archive that was handed in where it was.</summary>
    public async Task<List<ModelTurn>> OfAssignmentAsync(IReadOnlyList<PastTurn> past, CancellationToken ct)
    {
        var latest = past.LastOrDefault(turn => turn is { Role: ChatRole.User, ResponseType: ChatResponseType.File });
        var played = Played(past);
        var turns = new List<ModelTurn>();
        foreach (var turn in past)
        {
            turns.Add(ReferenceEquals(turn, latest) ? await HandedInAsync(turn.Content, ct)
                : turn.Role == ChatRole.Assistant ? Said(turn.Content)
                : await SaidByLearnerAsync(turn, played, ct));
        }
        return turns;
    }

    public async Task<ModelTurn> HandedInAsync(string content, CancellationToken ct)
    {
        var (uuid, name) = FileIn(content);
        return Asked($"I hand in {name ?? "a file"}. Its files:\n\n{await submissions.ArchiveTextAsync(uuid, ct)}");
    }

    /// <param name="content">The id of an upload; of an answer that is only tried, the recording itself in base64.</param>
    public async Task<ModelPart> VoiceAsync(string content, CancellationToken ct) => Guid.TryParse(content, out _)
        ? ModelPart.Wav(await submissions.VoiceAsync(content, ct))
        : Convert.TryFromBase64String(content, new byte[content.Length], out var length)
        && length > 0 ? ModelPart.Wav(content) : ModelPart.Text(content);

    public static ModelTurn Asked(string text) => new(ModelSpeaker.Person, ModelPart.Text(text.Length == 0 ? "(nothing)" : text));

    private static ModelTurn Said(string text) => new(ModelSpeaker.Model, ModelPart.Text(text.Length == 0 ? "(nothing)" : text));

    private async Task<ModelTurn> SaidByLearnerAsync(PastTurn turn, HashSet<object> played, CancellationToken ct) =>
        !IsSpoken(turn) ? Asked(turn.Content)
        : played.Contains(turn) ? new(ModelSpeaker.Person, await VoiceAsync(turn.Content, ct))
        : Asked("(an earlier answer, spoken)");

    private static HashSet<object> Played(IReadOnlyList<PastTurn> past) =>
        past.Where(IsSpoken).TakeLast(MaxRecordings).ToHashSet<object>(ReferenceEqualityComparer.Instance);

    private static bool IsSpoken(PastTurn turn) => turn is { Role: ChatRole.User, ResponseType: ChatResponseType.Audio };

    /// <param name="content">The id of an upload, or the object that the front end stores of one.</param>
    internal static (string Uuid, string? Name) FileIn(string content)
    {
        if (!content.StartsWith('{'))
        {
            return (content.Trim(), null);
        }
        try
        {
            using var document = JsonDocument.Parse(content);
            return (document.RootElement.Word("file_uuid"), document.RootElement.Word("filename") is { Length: > 0 } name ? name : null);
        }
        catch (Exception garbled) when (garbled is JsonException or InvalidOperationException)
        {
            return (content, null);
        }
    }

    /// <summary>
    /// What a learner saw of a stored answer: its words, and its scorecard where it has one. What is no object is taken as it is.
    /// </summary>
    internal static string ReadableAnswer(string content)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            // Half of a surrogate pair is JSON and no text: then it is read as it stands.
            return document.RootElement.ValueKind == JsonValueKind.Object ? Readable(document.RootElement) : content;
        }
        catch (Exception garbled) when (garbled is JsonException or InvalidOperationException)
        {
            return content;
        }
    }

    private static string Readable(JsonElement answer)
    {
        var text = new StringBuilder(answer.Word("feedback"));
        var scorecard = answer.Part("scorecard");
        // The front end stores a list, the answer itself is a map.
        var rows = scorecard.ValueKind switch
        {
            JsonValueKind.Array => scorecard.EnumerateArray().Select(row => (row.Word("category"), row)),
            JsonValueKind.Object => scorecard.EnumerateObject().Select(row => (row.Name, row.Value)),
            _ => [],
        };
        foreach (var (name, row) in rows)
        {
            text.Append(text.Length > 0 ? "\n\n" : "")
                .Append(CultureInfo.InvariantCulture, $"{name}: {row.Part("score")} of {row.Part("max_score")}");
            AppendIf(text, "What worked: ", row.Part("feedback").Word("correct"));
            AppendIf(text, "What to improve: ", row.Part("feedback").Word("wrong"));
        }
        return text.ToString();
    }

    private static void AppendIf(StringBuilder text, string label, string said)
    {
        if (said.Length > 0)
        {
            text.Append('\n').Append(label).Append(said);
        }
    }
}
