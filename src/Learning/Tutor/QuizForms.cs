using System.Text.Json.Nodes;

namespace Stoa.Learning.Tutor;

/// <summary><c>{analysis, feedback, is_correct}</c></summary>
internal sealed class ObjectiveForm : AnswerForm
{
    public override string Name => "objective";

    public override JsonObject Line(JsonObject come) => new()
    {
        ["analysis"] = TextOf(come["analysis"]), ["feedback"] = TextOf(come["feedback"]), ["is_correct"] = FlagOf(come["is_correct"]),
    };

    public override bool IsComplete(JsonObject line) => line["feedback"] is not null && line["is_correct"] is not null;

    public override bool? IsPassed(JsonObject line) => (bool?)line["is_correct"];

    protected override IEnumerable<(string, JsonObject)> Members() =>
    [
        ("analysis", Text("How the latest answer compares with the task, in a few sentences that do not give the solution away.")),
        ("feedback", Text("What the learner reads.")),
        ("is_correct", new() { ["type"] = "boolean", ["description"] = "Whether the entire task is solved." }),
    ];
}

/// <summary><c>{chain_of_thought, feedback, scorecard}</c>; the scorecard has one row for each criterion, or is null.</summary>
internal sealed class SubjectiveForm(IReadOnlyList<Criterion> criteria) : AnswerForm
{
    public override string Name => "subjective";

    public override JsonObject Line(JsonObject come) => new()
    {
        ["chain_of_thought"] = TextOf(come["chain_of_thought"]),
        ["feedback"] = TextOf(come["feedback"]), ["scorecard"] = Scorecard(come["scorecard"]),
    };

    public override bool IsComplete(JsonObject line) => line["feedback"] is not null;

    public override bool? IsPassed(JsonObject line) => line["scorecard"] is JsonObject rows
        ? criteria.All(criterion => NumberOf(rows[criterion.Name]?["score"]) >= criterion.PassScore)
        : null;

    protected override IEnumerable<(string, JsonObject)> Members() =>
    [
        ("chain_of_thought", Text("How the answer meets each criterion, in a few sentences.")),
        ("feedback", Text("A summary for the learner, with the next step only.")),
        ("scorecard", OrNull(SchemaOf(criteria.Select(criterion => (criterion.Name, RowSchema(criterion, Feedback())))))),
    ];

    // A scorecard that lacks a criterion is none: its reader would take the others for all there are.
    private JsonObject? Scorecard(JsonNode? come)
    {
        if (come is not JsonObject rows)
        {
            return null;
        }
        var made = criteria.Select(
            criterion => KeyValuePair.Create<string, JsonNode?>(criterion.Name, Row(criterion, rows[criterion.Name], FeedbackOf))).ToList();
        return made.TrueForAll(row => row.Value is not null) ? new(made) : null;
    }
}

/// <summary><c>{response}</c></summary>
internal sealed class DoubtForm : AnswerForm
{
    public override string Name => "doubt_solving";

    public override JsonObject Line(JsonObject come) => new() { ["response"] = TextOf(come["response"]) };

    public override bool IsComplete(JsonObject line) => line["response"] is not null;

    public override bool? IsPassed(JsonObject line) => null;

    protected override IEnumerable<(string, JsonObject)> Members() => [("response", Text("The answer, in Markdown."))];
}
