using System.Text.Json.Nodes;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Gateway.Runs.Prompts;
using Stoa.Gateway.RunTools;

namespace Stoa.Gateway.Runs.Requests;

/// <summary>Puts together what is asked of a model: the system text once for the run, the rest for each model that is tried.</summary>
internal static class RequestWriting
{
    /// <summary>Kept free of history for what the model answers, where nobody says how long that may be.</summary>
    private const int UsualAnswer = 4_096;

    /// <summary>The part of its room that a conversation fills before its older part is summarized.</summary>
    private const double SummarizeFrom = 0.7;

    public static void WriteSystemText(Run run, string? template)
    {
        var plan = run.Plan;
        (run.SystemText, run.TimelessSystemText) = SystemPrompt.Write(
            new(plan.Prompt)
            {
                Template = template,
                Tone = PromptOf(plan.Configured("tone") ?? plan.Setting("tone")) ?? plan.Setting("tonePrompt").AsText(),
                Style = PromptOf(plan.Configured("responseStyle") ?? plan.Setting("responseStyle"))
                ?? plan.Setting("responseStylePrompt").AsText(),
                Memory = plan.Remembers ? run.Past.Memory : null,
                Summary = run.Past.Summary,
                WantsJson = FormatOf(run) is { Schema: null },
            },
            run.Variables, run.MissingVariables);
    }

    public static AnswerFormat? FormatOf(Run run) => ResponseType.FormatOf(run.Plan.Configured("response_type"), run.Plan.IsChatbot);

    /// <exception cref="Platform.Http.Failure">Invalid: a parameter, or an attachment that this model cannot take.</exception>
    public static ChatRequest For(Run run, ToolSet tools)
    {
        var choice = run.Choice;
        var parameters = run.Plan.Parameters(choice);
        var (source, searches) = WebSearch.Of(run);
        var request = SamplingParameters.Apply(
            new()
            {
                Model = choice.Model,
                Source = source,
                System = [new(run.SystemText)],
                Tools = [.. tools.Definitions, .. searches],
                ToolChoice = tools.Definitions.Count == 0 ? null : ChoiceOf(run.Plan.Configured("tool_choice"), tools),
                Format = FormatOf(run),
                HasRecordings = run.Input.Audios.Count > 0,
            },
            parameters);
        var user = UserTurn.Of(run);
        var room = run.Plan.ContextWindow - (request.MaxOutput ?? UsualAnswer) - TokenEstimate.Of(request) - TokenEstimate.Of(user.Parts);
        run.Asked = Log(choice, parameters, request);
        return request with { Turns = [.. History(run, room), user] };
    }

    private static List<Turn> History(Run run, long room)
    {
        if (run.Plan.Configured("conversation") is JsonArray { Count: > 0 } explicitly)
        {
            return ConversationTurns.Of(explicitly);
        }
        var (turns, tokens) = ConversationTurns.Of(run.Past, room, new(run.Choice.Document, run.ThreadFiles));
        run.WantsSummary = tokens > room * SummarizeFrom && run.Plan.Setting("summarize_history") is JsonValue wish
            && wish.TryGetValue<bool>(out var isWanted) && isWanted;
        return turns;
    }

    /// <summary>What was asked, for the history: parameters and names, no texts that stand elsewhere and no secrets.</summary>
    private static byte[] Log(ModelChoice choice, JsonObject parameters, ChatRequest request)
    {
        using var log = new PooledBytes(512);
        var json = JsonOutput.Open(log);
        json.WriteStartObject();
        json.WriteString("model"u8, choice.Model);
        json.WriteString("service"u8, choice.Service.Name);
        json.WritePropertyName("parameters"u8);
        parameters.WriteTo(json);
        json.WriteStartArray("tools"u8);
        foreach (var tool in request.Tools)
        {
            json.WriteStringValue(tool.Name);
        }
        json.WriteEndArray();
        json.WriteString(
            "response_type"u8, request.Format is null ? "text"u8 : request.Format.Schema is null ? "json_object"u8 : "json_schema"u8);
        json.WriteEndObject();
        JsonOutput.Close(json);
        return log.Span.ToArray();
    }

    private static ToolChoice? ChoiceOf(JsonNode? choice, ToolSet tools) =>
        (choice.AsText() ?? (choice as JsonObject).Text("name")
            ?? (choice as JsonObject).Object("function").Text("name") ?? (choice as JsonObject).Text("type")) switch
        {
            null or "default" or "auto" => null,
            "none" => new(ToolChoiceMode.None),
            "required" or "any" => new(ToolChoiceMode.Required),
            { } name => tools.Find(name) is null ? null : new(ToolChoiceMode.One, name),
        };

    private static string? PromptOf(JsonNode? style) => (style as JsonObject).Text("prompt") ?? style.AsText();
}
