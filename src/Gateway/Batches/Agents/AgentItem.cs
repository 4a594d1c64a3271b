using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Runs.Answers;

namespace Stoa.Gateway.Batches.Agents;

/// <summary>What became of a line of an agent's batch, as its receiver is told.</summary>
internal static class AgentItem
{
    /// <param name="response"><c>{data, usage}</c>, as the run's own answer has it.</param>
    public static InnerAnswer Answered(Batch batch, BatchLine line, JsonObject response)
    {
        var item = (JsonObject)response.DeepClone();
        item["batch_id"] = batch.Id;
        item["custom_id"] = line.CustomId;
        item["isBatch"] = true;
        if (AgentLine.Of(line).Variables is { } variables)
        {
            item["variables"] = variables.DeepClone();
        }
        return Of(item, StatusCodes.Status200OK, line);
    }

    public static InnerAnswer Failed(Batch batch, BatchLine line, string error, int status) =>
        Of(Failed(batch, line.CustomId, error, status), status, line);

    /// <summary>What guardrails refused is no success either.</summary>
    public static InnerAnswer Of(Batch batch, BatchLine line, RunResult result) => result switch
    {
        { IsSuccess: true } => Answered(batch, line, result.Response.Object("response") ?? []),
        { Failure: { } failure } => Failed(batch, line, result.Response.Text("error") ?? failure.Message, RunFailures.StatusOf(failure)),
        _ => Failed(batch, line, result.Content, StatusCodes.Status400BadRequest),
    };

    /// <summary>Of a line that was not run before the batch ended, with the error's type as the wire has it.</summary>
    public static JsonObject Unanswered(Batch batch, string customId, BatchStatus end) => end == BatchStatus.Cancelled
        ? Failed(batch, customId, "batch_cancelled", StatusCodes.Status499ClientClosedRequest)
        : Failed(batch, customId, "batch_expired", StatusCodes.Status408RequestTimeout);

    private static JsonObject Failed(Batch batch, string customId, string error, int status) => new()
    {
        ["custom_id"] = customId, ["batch_id"] = batch.Id, ["error"] = error, ["status_code"] = status,
    };

    private static InnerAnswer Of(JsonObject item, int status, BatchLine line) =>
        new(status, line.CustomId, JsonSerializer.SerializeToUtf8Bytes(item, GatewayJson.Default.JsonObject));
}
