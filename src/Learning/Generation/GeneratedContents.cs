using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Learning.Tasks;
using Stoa.Platform.Http;

namespace Stoa.Learning.Generation;

/// <summary>A question that a model has thought of, in our terms.</summary>
/// <param name="Scorecard">Of a subjective question.</param>
internal sealed record GeneratedQuestion(
    string Title, QuestionType Type, InputType InputType, JsonArray Blocks,
    JsonArray? Answer, JsonArray Context, IReadOnlyList<string> Languages,
    GeneratedScorecard? Scorecard);

internal sealed record GeneratedScorecard(string Title, JsonArray Criteria);

/// <summary>What models are asked to write into tasks, and what is made of it: the editor's blocks, questions, scorecards.</summary>
internal static class GeneratedContents
{
    private const int MaxBlocks = 500;
    private const int MaxQuestions = 50;

    private const string Blocks = """
        {"type":"array","items":{"type":"object","additionalProperties":false,"required":["type","props","content"],"properties":{
          "type":{"type":"string","enum":["heading","paragraph","bulletListItem","numberedListItem","checkListItem","codeBlock"]},
          "props":{"type":"object","additionalProperties":false,"required":["level","checked","language"],"properties":{
            "level":{"type":["integer","null"],"enum":[2,3,null]},"checked":{"type":["boolean","null"]},"language":{"type":["string","null"]}}},
          "content":{"type":"array","items":{"type":"object","additionalProperties":false,"required":["text","bold","italic"],"properties":{
            "text":{"type":"string"},"bold":{"type":"boolean"},"italic":{"type":"boolean"}}}}}}}
        """;

    public static readonly JsonElement MaterialSchema = Parse("""
        {"type":"object","additionalProperties":false,"required":["blocks"],"properties":{"blocks":@blocks}}
        """);

    public static readonly JsonElement QuizSchema = Parse("""
        {"type":"object","additionalProperties":false,"required":["questions"],"properties":{"questions":{"type":"array","items":{
          "type":"object","additionalProperties":false,
          "required":["question_title","question_type","answer_type","coding_languages","blocks","correct_answer","scorecard","context"],"properties":{
            "question_title":{"type":"string"},
            "question_type":{"type":"string","enum":["objective","subjective","coding"]},
            "answer_type":{"anyOf":[{"type":"string","enum":["text","audio"]},{"type":"null"}]},
            "coding_languages":{"anyOf":[{"type":"array","items":{"type":"string","enum":["HTML","CSS","JS","Python","React","Node","SQL"]}},{"type":"null"}]},
            "blocks":@blocks,
            "correct_answer":{"anyOf":[@blocks,{"type":"null"}]},
            "scorecard":{"anyOf":[{"type":"object","additionalProperties":false,"required":["title","criteria"],"properties":{
              "title":{"type":"string"},"criteria":{"type":"array","items":{"type":"object","additionalProperties":false,
                "required":["name","description","min_score","max_score"],"properties":{
                  "name":{"type":"string"},"description":{"type":"string"},"min_score":{"type":"number"},"max_score":{"type":"number"}}}}}},{"type":"null"}]},
            "context":@blocks}}}}}
        """);

    private static JsonElement Parse(string schema) => JsonElement.Parse(schema.Replace("@blocks", Blocks, StringComparison.Ordinal));

    /// <summary>Blocks as the editor keeps them; ids and positions are given when they are saved.</summary>
    /// <exception cref="Failure">Upstream: there are none.</exception>
    public static JsonArray BlocksOf(JsonNode? given) => Convert(given) is { Count: > 0 } blocks ? blocks : throw Empty();

    /// <exception cref="Failure">Upstream: there are none.</exception>
    public static List<GeneratedQuestion> QuestionsOf(JsonObject made)
    {
        var questions = (made["questions"] as JsonArray ?? []).OfType<JsonObject>().Take(MaxQuestions)
            .Select(QuestionOf).Where(question => question.Blocks.Count > 0).ToList();
        return questions.Count > 0 ? questions : throw Empty();
    }

    private static GeneratedQuestion QuestionOf(JsonObject given, int number)
    {
        var type = Text(given, "question_type");
        var isSubjective = type == "subjective";
        var title = Text(given, "question_title").Trim();
        return new(
            title.Length == 0 ? $"Question {number + 1}" : title.Length <= 200 ? title : title[..200],
            isSubjective ? QuestionType.Subjective : QuestionType.Objective,
            type == "coding" ? InputType.Code : Text(given, "answer_type") == "audio" ? InputType.Audio : InputType.Text,
            Convert(given["blocks"]),
            given["correct_answer"] is JsonArray answer && Convert(answer) is { Count: > 0 } solution ? solution : null,
            Convert(given["context"]), type == "coding" ? LanguagesOf(given) : [],
            isSubjective ? ScorecardOf(given["scorecard"] as JsonObject, title) : null);
    }

    // A subjective question without a scorecard could not be judged.
    private static GeneratedScorecard ScorecardOf(JsonObject? given, string title)
    {
        var criteria = new JsonArray([.. (given?["criteria"] as JsonArray ?? []).OfType<JsonObject>()
            .Where(one => Text(one, "name").Trim().Length > 0).Take(20).Select(CriterionOf)]);
        if (criteria.Count == 0)
        {
            criteria.Add((JsonNode)Criterion("Quality", "How fully and how correctly the answer does what the question asks for.", 1, 5));
        }
        return new(given is not null && Text(given, "title").Trim() is { Length: > 0 } named ? named : title, criteria);
    }

    private static JsonObject CriterionOf(JsonObject given)
    {
        var (min, max) = (Number(given, "min_score"), Number(given, "max_score"));
        return Criterion(Text(given, "name").Trim(), Text(given, "description"), Math.Min(min, max), max > min ? max : min + 1);
    }

    private static JsonObject Criterion(string name, string description, double min, double max) => new()
    {
        ["name"] = name, ["description"] = description, ["min_score"] = min, ["max_score"] = max, ["pass_score"] = max,
    };

    private static List<string> LanguagesOf(JsonObject given) =>
    [
        .. (given["coding_languages"] as JsonArray ?? [])
        .Select(name => name is JsonValue value && value.TryGetValue<string>(out var text) ? EditorName(text) : null)
            .OfType<string>().Distinct(StringComparer.Ordinal),
    ];

    private static string? EditorName(string language) => language.ToLowerInvariant() switch
    {
        "js" or "javascript" => "javascript",
        "node" or "nodejs" => "nodejs",
        "html" or "css" or "python" or "react" or "sql" => language.ToLowerInvariant(),
        _ => null,
    };

    private static JsonArray Convert(JsonNode? given) => new(
    [
        .. (given as JsonArray ?? []).OfType<JsonObject>().Take(MaxBlocks).Select(BlockOf),
    ]);

    private static JsonObject BlockOf(JsonObject given)
    {
        var type = Text(given, "type") is { Length: > 0 } named ? named : "paragraph";
        var (wishes, props) = (given["props"] as JsonObject, new JsonObject());
        switch (type)
        {
            case "heading":
                props["level"] = wishes is not null && Number(wishes, "level") == 3 ? 3 : 2;
                break;
            case "checkListItem":
                props["checked"] = wishes?["checked"] is JsonValue value && value.TryGetValue<bool>(out var isChecked) && isChecked;
                break;
            case "codeBlock":
                props["language"] = wishes is null ? "text"
                    : Text(wishes, "language") is { Length: > 0 } language ? language.ToLowerInvariant() : "text";
                break;
            default:
                break;
        }
        return new()
        {
            ["type"] = type, ["props"] = props,
            ["content"] = new JsonArray([.. (given["content"] as JsonArray ?? []).OfType<JsonObject>().Select(InlineOf)]),
            ["children"] = new JsonArray(),
        };
    }

    private static JsonObject InlineOf(JsonObject given)
    {
        var styles = new JsonObject();
        foreach (var style in (ReadOnlySpan<string>)["bold", "italic"])
        {
            if (given[style] is JsonValue value && value.TryGetValue<bool>(out var isSet) && isSet)
            {
                styles[style] = true;
            }
        }
        return new() { ["type"] = "text", ["text"] = Text(given, "text"), ["styles"] = styles };
    }

    private static string Text(JsonObject given, string name) =>
        given[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text.Replace("\0", "", StringComparison.Ordinal) : "";

    private static double Number(JsonObject given, string name) =>
        given[name] is JsonValue value && value.TryGetValue<double>(out var number) && double.IsFinite(number) ? number : 0;

    private static Failure Empty() => new(FailureKind.Upstream, "upstream_invalid_response", "The model has written nothing");
}
