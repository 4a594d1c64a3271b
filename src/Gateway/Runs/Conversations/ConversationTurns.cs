using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Runs.Conversations;

/// <summary>Turns what was said before into what a model reads, as much of it as fits.</summary>
internal static class ConversationTurns
{
    /// <summary>
    /// The newest exchanges that fit, whole: a tool's call is kept only with its result, a question only with its answer.
    /// </summary>
    /// <param name="room">In tokens.</param>
    /// <param name="attachments">What of the pictures and files of earlier questions the model can read; the others are left out.</param>
    /// <returns>The turns, oldest first, and the tokens of the whole conversation, also of what they leave out.</returns>
    public static (List<Turn> Turns, long Tokens) Of(ThreadPast past, long room, AttachmentReading attachments)
    {
        var kept = new List<List<Turn>>();
        var tokens = 0L;
        foreach (var exchange in past.Exchanges.Reverse()
            .TakeWhile(exchange => past.SummarizedTo is not { } folded || exchange.Id.CompareTo(folded) > 0))
        {
            var turns = TurnsOf(exchange, attachments, withTools: true);
            var size = SizeOf(turns);
            tokens += size;
            if (size > room && exchange.ToolRounds is not null)
            {
                turns = TurnsOf(exchange, attachments, withTools: false);
                size = SizeOf(turns);
            }
            if (size > room)
            {
                break;
            }
            room -= size;
            kept.Add(turns);
        }
        kept.Reverse();
        return ([.. kept.SelectMany(turns => turns)], tokens);
    }

    /// <summary>The history that the caller sent himself: <c>[{role, content}]</c>.</summary>
    public static List<Turn> Of(JsonArray conversation)
    {
        var turns = new List<Turn>();
        foreach (var message in conversation.Objects())
        {
            var text = message["content"] switch
            {
                JsonArray parts => string.Join('\n', parts.Objects().Select(part => part.Text("text")).OfType<string>()),
                var content => content.AsText(),
            };
            if (string.IsNullOrEmpty(text))
            {
                continue;
            }
            var role = message.Text("role") switch
            {
                "assistant" or "model" or "tool_call" => TurnRole.Assistant,
                "system" or "developer" => TurnRole.System,
                _ => TurnRole.User,
            };
            turns.Add(new(role, [new Part.Text(text)]));
        }
        return turns;
    }

    private static List<Turn> TurnsOf(PastExchange exchange, AttachmentReading attachments, bool withTools)
    {
        var said = new Part.Text(exchange.User.Length > 0 ? exchange.User : "(attachment)");
        var turns = new List<Turn>(2)
        {
            new(TurnRole.User, exchange.Attachments is null ? [said] : [.. attachments.PartsOf(exchange.Attachments), said]),
        };
        if (withTools && exchange.ToolRounds is { } json && JsonFields.TryParse(json, out var rounds))
        {
            foreach (var round in (rounds as JsonArray).Objects().Where(round => round.Count > 0))
            {
                turns.Add(new(TurnRole.Assistant,
                    [.. round.Select(Part (call) => new Part.ToolCall(call.Key, Name(call.Value), Arguments(call.Value)))]));
                turns.Add(new(TurnRole.Tool, [.. round.Select(Part (call) => new Part.ToolResult(
                    call.Key, [new Part.Text(Result(call.Value))], (call.Value as JsonObject).Is("error")))]));
            }
        }
        if (exchange.Answer.Length > 0)
        {
            turns.Add(new(TurnRole.Assistant, [new Part.Text(exchange.Answer)]));
        }
        return turns;
    }

    private static string Name(JsonNode? call) => (call as JsonObject).Text("name") ?? "tool";

    private static string Arguments(JsonNode? call) => (call as JsonObject)?["args"].AsWords() ?? "{}";

    private static string Result(JsonNode? call) => (call as JsonObject).Object("data")?["response"].AsWords() ?? "";

    private static long SizeOf(List<Turn> turns)
    {
        var size = 0L;
        foreach (var turn in turns)
        {
            size += TokenEstimate.Of(turn.Parts) + 4;
        }
        return size;
    }
}
