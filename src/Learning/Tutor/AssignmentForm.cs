using System.Text.Json.Nodes;

namespace Stoa.Learning.Tutor;

/// <summary>
/// <c>{chain_of_thought, feedback, evaluation_status, key_area_scores, current_key_area}</c>, and on a submitted file its score as a whole,
/// under the name that is documented and under the one that the front end looks for.
/// </summary>
/// <param name="earlier">The key areas that were scored before in this conversation; they stay scored.</param>
internal sealed class AssignmentForm(IReadOnlyList<Criterion> criteria, ScoreRange range, bool isFile, JsonObject? earlier = null)
    : AnswerForm
{
    private const string InProgress = "in_progress";
    private const string Completed = "completed";

    private static readonly string[] Statuses = [InProgress, "needs_resubmission", Completed];

    public override string Name => "assignment";

    public override JsonObject Line(JsonObject come)
    {
        var rows = KeyAreas(come["key_area_scores"], come.ContainsKey("key_area_scores"));
        var line = new JsonObject
        {
            ["chain_of_thought"] = TextOf(come["chain_of_thought"]),
            ["feedback"] = TextOf(come["feedback"]),
            ["evaluation_status"] = StatusOf(come, rows),
            ["key_area_scores"] = rows,
            ["current_key_area"] = TextOf(come["current_key_area"]),
        };
        if (isFile)
        {
            double? score = NumberOf(come["assignment_score"]) is { } given
                ? Math.Clamp(given, Math.Min(range.Min, range.Max), Math.Max(range.Min, range.Max))
                : null;
            line["assignment_score"] = score;
            line["project_score"] = score;
        }
        return line;
    }

    public override bool IsComplete(JsonObject line) => line["feedback"] is not null && line["evaluation_status"] is not null;

    public override bool? IsPassed(JsonObject line) => (string?)line["evaluation_status"] == Completed
        ? criteria.All(criterion => NumberOf(line["key_area_scores"]?[criterion.Name]?["score"]) >= criterion.PassScore)
        : null;

    protected override IEnumerable<(string, JsonObject)> Members()
    {
        yield return ("chain_of_thought", Text("How the submission stands, in a few sentences."));
        yield return ("feedback", Text("What the learner reads."));
        yield return ("evaluation_status",
            new() { ["type"] = "string", ["enum"] = new JsonArray([.. Statuses.Select(status => JsonValue.Create(status))]) });
        // Strict modes know no open maps: each key area may be there, as null.
        yield return ("key_area_scores",
            OrNull(SchemaOf(criteria.Select(criterion => (criterion.Name, OrNull(RowSchema(criterion, Feedback())))))));
        yield return ("current_key_area", TextOrNull("The key area that is talked about now."));
        if (isFile)
        {
            yield return ("assignment_score", OrNull(Score(range.Min, range.Max)));
        }
    }

    // Null while the model has not come to it. The word is not taken where the rows say otherwise.
    private JsonNode? StatusOf(JsonObject come, JsonObject? rows)
    {
        if (!come.ContainsKey("evaluation_status"))
        {
            return null;
        }
        var status = (string?)TextOf(come["evaluation_status"]);
        return status == Completed
            // It is said before the rows come; until then nobody knows.
            ? rows is not null && rows.Count == criteria.Count ? Completed : come.ContainsKey("key_area_scores") ? InProgress : null
            : Statuses.Contains(status) ? status : InProgress;
    }

    /// <summary>The rows of the key areas that are scored; null when none is.</summary>
    private JsonObject? KeyAreas(JsonNode? come, bool isThere)
    {
        var given = come as JsonObject;
        if (given is null && !isThere)
        {
            return null;
        }
        var rows = new JsonObject();
        foreach (var criterion in criteria)
        {
            if ((Row(criterion, given?[criterion.Name], FeedbackOf) ?? Row(criterion, earlier?[criterion.Name], FeedbackOf)) is { } row)
            {
                rows[criterion.Name] = row;
            }
        }
        return rows.Count > 0 ? rows : null;
    }
}
