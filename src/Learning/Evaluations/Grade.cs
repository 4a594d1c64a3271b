using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Learning.Tutor;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Evaluations;

/// <summary>
/// A grade in an answer as the client stores it: <c>is_correct</c>; <c>scorecard</c>, a list of rows by <c>category</c> or a map of them;
/// <c>key_area_scores</c>, a map, with the score of the whole under either of its names.
/// </summary>
internal sealed class Grade
{
    private static readonly string[] WholeNames = ["assignment_score", "project_score"];

    private readonly JsonObject answer;

    private Grade(JsonObject answer) => this.answer = answer;

    /// <summary>Whether the learner has done it by the grade as it is now; null where the change does not decide that.</summary>
    public bool? IsPassed { get; private set; }

    /// <summary>Null when the content is no graded answer.</summary>
    public static Grade? Read(string? content)
    {
        try
        {
            return JsonNode.Parse(content ?? "null", documentOptions: new() { AllowDuplicateProperties = false }) is JsonObject answer
                && (answer.ContainsKey("feedback") || answer.ContainsKey("is_correct")) ? new(answer) : null;
        }
        catch (Exception garbled) when (garbled is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    public string ToText() => answer.ToJsonString();

    /// <exception cref="Failure">400: there is no such grade in this answer.</exception>
    public void Apply(GradesApi.GradeChange change, IReadOnlyList<Criterion> criteria)
    {
        if (change.Feedback is { } feedback)
        {
            answer["feedback"] = feedback;
        }
        if (change.IsCorrect is { } isCorrect)
        {
            if (!answer.ContainsKey("is_correct"))
            {
                throw Refusal.BadRequest("The answer is not to an objective question");
            }
            answer["is_correct"] = isCorrect;
            IsPassed = isCorrect;
        }
        if (change.AssignmentScore is { } whole)
        {
            if (!answer.ContainsKey("evaluation_status"))
            {
                throw Refusal.BadRequest("The answer is not to an assignment");
            }
            foreach (var name in WholeNames)
            {
                answer[name] = whole;
            }
        }
        foreach (var (name, score) in change.Scores ?? [])
        {
            SetScore(name, score, criteria);
        }
        if (change.Scores is { Count: > 0 })
        {
            IsPassed = criteria.All(criterion => RowOf(criterion.Name)?["score"] is JsonValue value
                && value.TryGetValue<double>(out var score) && score >= criterion.PassScore);
        }
    }

    private void SetScore(string name, JsonNode? given, IReadOnlyList<Criterion> criteria)
    {
        var criterion = criteria.FirstOrDefault(one => one.Name == name);
        if (criterion is null || RowOf(name) is not { } row)
        {
            throw Refusal.BadRequest($"The answer has no score for '{name}'");
        }
        if (given is not JsonValue value || !value.TryGetValue<double>(out var score) || score != criterion.Clamp(score))
        {
            throw Refusal.BadRequest($"The score for '{name}' must be from {criterion.MinScore} to {criterion.MaxScore}");
        }
        (row["score"], row["max_score"], row["pass_score"]) = (score, criterion.MaxScore, criterion.PassScore);
    }

    private JsonObject? RowOf(string name) => answer["scorecard"] switch
    {
        JsonArray rows => rows.OfType<JsonObject>().FirstOrDefault(
            row => row["category"] is JsonValue category && category.TryGetValue<string>(out var text) && text == name),
        JsonObject rows => rows[name] as JsonObject,
        _ => (answer["key_area_scores"] as JsonObject)?[name] as JsonObject,
    };
}
