using System.Text.Json.Nodes;

namespace Stoa.Gateway.Alerts;

/// <summary>The agent that something happened to, and whose run it was.</summary>
/// <param name="OrgId">As the wire calls the organization.</param>
/// <param name="EmbedUserId">Of an embedded user, as his site calls him.</param>
internal sealed record AlertAgent(
    string BridgeId, string BridgeName, string OrgId, string? UserId, bool IsEmbed = false, string? EmbedUserId = null);

/// <summary>Something an organization may want to hear of, as GTWY's wire words it.</summary>
internal sealed record AlertEvent
{
    public const string ErrorType = "Error";
    public const string VariableType = "Variable";
    public const string RetryType = "retry_mechanism";
    public const string ThumbsDownType = "thumbsdown";
    public const string LimitType = "metrix_limit_reached";
    public const string AnswerType = "broadcast_response";

    private AlertEvent(string type, AlertAgent agent) => (Type, Agent) = (type, agent);

    /// <summary>What an alert chooses by: <c>Error</c>, <c>Variable</c>, ….</summary>
    public string Type { get; }

    public AlertAgent Agent { get; }

    /// <summary>Makes it one alert, however often it is told: a message's id, or the name of a limit and its time.</summary>
    public required string Key { get; init; }

    public JsonObject Variables { get; init; } = [];

    /// <summary>For <c>metrix_limit_reached</c>: the total before and after. An alert whose limit lies between is told.</summary>
    public (decimal Before, decimal After)? Total { get; private init; }

    private JsonObject? Details { get; init; }

    private JsonObject? Response { get; init; }

    public static AlertEvent Error(AlertAgent agent, string messageId, string error) => new(ErrorType, agent)
    {
        Key = messageId, Details = new() { ["alert"] = "Unexpected Error", ["error_message"] = error },
    };

    public static AlertEvent VariablesMissing(AlertAgent agent, string messageId, IEnumerable<string> names) => new(VariableType, agent)
    {
        Key = messageId,
        Details = new() { ["alert"] = "variables missing",
            [nameof(Variables)] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]) },
    };

    public static AlertEvent RetryStarted(AlertAgent agent, string messageId, string error) => new(RetryType, agent)
    {
        Key = messageId, Details = new() { ["alert"] = "Retry Mechanism Started due to error.", ["error_message"] = error },
    };

    public static AlertEvent ThumbsDown(AlertAgent agent, string messageId) => new(ThumbsDownType, agent)
    {
        Key = messageId, Details = new() { ["alert"] = "Thumbs down on response", ["message_id"] = messageId },
    };

    /// <summary>The agent's total of tokens or latency grew from one value to another.</summary>
    public static AlertEvent TotalGrew(AlertAgent agent, string key, decimal before, decimal after) => new(LimitType, agent)
    {
        Key = key, Total = (before, after),
    };

    /// <param name="response">The answer as it was given: <c>{"data", "usage"}</c>.</param>
    public static AlertEvent Answered(AlertAgent agent, string messageId, JsonObject response) => new(AnswerType, agent)
    {
        Key = messageId, Response = response,
    };

    /// <summary>What an alert is sent.</summary>
    public JsonObject BodyFor(decimal? limit) => Response is not null
        ? new() { ["response"] = Response.DeepClone(), ["success"] = true, ["variables"] = Variables.DeepClone() }
        : new() { ["error"] = ErrorOf(limit), ["success"] = false, ["variables"] = Variables.DeepClone() };

    private JsonObject ErrorOf(decimal? limit)
    {
        var error = new JsonObject
        {
            ["details"] = Details?.DeepClone() ?? new JsonObject { ["alert"] = "limit_reached", ["Limit Size"] = limit },
            ["bridge_id"] = Agent.BridgeId,
            ["org_id"] = Agent.OrgId,
            ["user_id"] = Agent.UserId,
            ["bridge_name"] = Agent.BridgeName,
            ["is_embed"] = Agent.IsEmbed,
        };
        if (Agent.IsEmbed)
        {
            error["embeduserId"] = Agent.EmbedUserId;
        }
        return error;
    }
}
