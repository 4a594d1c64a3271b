using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stoa.Learning.Tutor;

/// <summary>
/// What an answer of a model looks like: the schema that it is asked for, and the line that is made of what has come of it. A line has all
/// members in the schema's order, null where nothing is known yet; scores are held to the scorecard, whatever the model says of them.
/// </summary>
internal abstract class AnswerForm
{
    /// <summary>As the schema is named to models, and the flow in records.</summary>
    public abstract string Name { get; }

    public JsonElement Schema => field.ValueKind == JsonValueKind.Undefined ? field = SchemaOf(Members()).ToElement() : field;

    public abstract JsonObject Line(JsonObject come);

    /// <summary>Whether the answer is one: everything that its reader needs is there.</summary>
    public abstract bool IsComplete(JsonObject line);

    /// <summary>Whether the learner has done it; null when nothing was judged.</summary>
    public abstract bool? IsPassed(JsonObject line);

    protected abstract IEnumerable<(string Name, JsonObject Schema)> Members();

    /// <summary>An object that must have all of these members and no others, as strict modes want it.</summary>
    protected static JsonObject SchemaOf(IEnumerable<(string Name, JsonObject Schema)> members)
    {
        var all = members.ToList();
        return new()
        {
            ["type"] = "object",
            ["properties"] = new JsonObject(all.Select(member => KeyValuePair.Create<string, JsonNode?>(member.Name, member.Schema))),
            ["required"] = new JsonArray([.. all.Select(member => JsonValue.Create(member.Name))]),
            ["additionalProperties"] = false,
        };
    }

    protected static JsonObject Text(string description) => new() { ["type"] = "string", ["description"] = description };

    protected static JsonObject TextOrNull(string description) =>
        new() { ["type"] = new JsonArray("string", "null"), ["description"] = description };

    protected static JsonObject OrNull(JsonObject schema) =>
        new() { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };

    protected static JsonObject Score(double min, double max) => new() { ["type"] = "number", ["minimum"] = min, ["maximum"] = max };

    /// <summary>What is said of one criterion.</summary>
    protected static JsonObject RowSchema(Criterion criterion, JsonObject feedback) => SchemaOf(
    [
        ("feedback", feedback),
        ("score", Score(criterion.MinScore, criterion.MaxScore)),
        ("max_score", Score(criterion.MaxScore, criterion.MaxScore)),
        ("pass_score", Score(criterion.PassScore, criterion.PassScore)),
    ]);

    /// <summary>Null unless the row has a score.</summary>
    protected static JsonObject? Row(Criterion criterion, JsonNode? come, Func<JsonNode?, JsonNode?> feedback) =>
        come is JsonObject row && NumberOf(row["score"]) is { } score
            ? new()
            {
                ["feedback"] = feedback(row["feedback"]),
                ["score"] = criterion.Clamp(score),
                ["max_score"] = criterion.MaxScore,
                ["pass_score"] = criterion.PassScore,
            }
            : null;

    protected static JsonObject Feedback() => SchemaOf(
    [
        ("correct", TextOrNull("What worked, citing the answer; null if nothing did.")),
        ("wrong", TextOrNull("What to improve, citing the answer; null only at the full score.")),
    ]);

    protected static JsonNode FeedbackOf(JsonNode? come) =>
        new JsonObject { ["correct"] = TextOf((come as JsonObject)?["correct"]), ["wrong"] = TextOf((come as JsonObject)?["wrong"]) };

    protected static JsonNode? TextOf(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? JsonValue.Create(text) : null;

    protected static JsonNode? FlagOf(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<bool>(out var flag) ? JsonValue.Create(flag) : null;

    protected static double? NumberOf(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<double>(out var number) && double.IsFinite(number) ? number : null;
}

internal static class JsonNodes
{
    public static JsonElement ToElement(this JsonNode node) => JsonElement.Parse(node.ToJsonString());
}
