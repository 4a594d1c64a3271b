using System.Text.Json;

namespace Stoa.Learning.Tutor;

/// <summary>One line of a scorecard.</summary>
/// <param name="Name">Without double quotes; it is the key of its row in answers.</param>
internal sealed record Criterion(string Name, string Description, double MinScore, double MaxScore, double PassScore)
{
    /// <param name="json">The criteria of a scorecard as they are stored. Older ones have no pass score: it is the highest then.</param>
    public static IReadOnlyList<Criterion> Read(string? json)
    {
        if (json is null)
        {
            return [];
        }
        using var document = JsonDocument.Parse(json);
        return document.RootElement.ValueKind != JsonValueKind.Array ? [] :
        [
            .. document.RootElement.EnumerateArray().Select(Of).Where(criterion => criterion.Name.Length > 0)
                .DistinctBy(criterion => criterion.Name, StringComparer.Ordinal),
        ];
    }

    public double Clamp(double score) => Math.Clamp(score, Math.Min(MinScore, MaxScore), Math.Max(MinScore, MaxScore));

    private static Criterion Of(JsonElement element)
    {
        var most = NumberOf(element, "max_score") ?? 0;
        return new(
            element.Word("name").Replace("\"", "", StringComparison.Ordinal).Trim(), element.Word("description"),
            NumberOf(element, "min_score") ?? 0, most, NumberOf(element, "pass_score") ?? most);
    }

    private static double? NumberOf(JsonElement element, string name) =>
        element.Part(name) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;
}

/// <summary>Between which scores an assignment as a whole is judged.</summary>
internal sealed record ScoreRange(double Min, double Max, double Pass);
