using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.Runs;

namespace Stoa.Gateway.Batches.Agents;

/// <summary>What the lines of an agent's batch have in common, and where the results go.</summary>
/// <param name="Run">One run without its message.</param>
/// <param name="Receiver"><c>{"type": "webhook", "cred": {"url", "headers"}}</c>.</param>
internal sealed record AgentBatch(RunRequest Run, JsonObject Receiver)
{
    private const string Member = "run";

    /// <summary>Into the batch's row, secrets apart and sealed.</summary>
    public void Keep(Batch batch, RunSecrets secrets)
    {
        var (bare, taken) = RunSecrets.Split(new()
        {
            Id = batch.Id,
            OrganizationId = batch.OrganizationId,
            Request = JsonSerializer.SerializeToNode(Run, DeliveryJson.Default.RunRequest)!.AsObject(),
            ResponseFormat = Receiver,
        });
        batch.Document[Member] = JsonSerializer.SerializeToNode(bare, DeliveryJson.Default.QueuedRun);
        batch.Secrets = taken is null ? null : secrets.Seal(taken);
    }

    public static AgentBatch Of(Batch batch, RunSecrets secrets)
    {
        var run = batch.Document[Member].Deserialize(DeliveryJson.Default.QueuedRun) ?? throw new JsonException("The batch has no run");
        run = batch.Secrets is { } kept ? RunSecrets.Join(run, secrets.Unseal(kept)) : run;
        return new(
            run.Request.Deserialize(DeliveryJson.Default.RunRequest) ?? throw new JsonException("The run has no request"),
            run.ResponseFormat);
    }

    /// <summary>The run of one line, known by the line's id however often it is tried.</summary>
    public RunRequest RunOf(BatchLine line)
    {
        var message = AgentLine.Of(line);
        var body = (JsonObject)Run.Body.DeepClone();
        body["user"] = message.Text;
        body["thread_id"] ??= line.CustomId;
        if (message.Variables is { } own)
        {
            var variables = body.Object("variables") ?? [];
            body["variables"] = variables;
            foreach (var (name, value) in own)
            {
                variables[name] = value?.DeepClone();
            }
        }
        return Run with { Body = body, MessageId = line.CustomId, RequestId = line.CustomId };
    }
}

/// <summary>A line of an agent's batch: <c>{message, variables?}</c>.</summary>
internal sealed record AgentLine(string CustomId, string Text, JsonObject? Variables)
{
    public static AgentLine Of(BatchLine line)
    {
        var request = JsonSerializer.Deserialize(line.Request.Span, GatewayJson.Default.JsonObject);
        return new(line.CustomId, request.Text("message") ?? "", request.Object("variables"));
    }

    public BatchLine ToLine(int number) => new(number, CustomId, JsonSerializer.SerializeToUtf8Bytes(
        new JsonObject { ["message"] = Text, ["variables"] = Variables?.DeepClone() }, GatewayJson.Default.JsonObject));

    /// <summary>As the answer that starts a batch tells it.</summary>
    public JsonObject Show() =>
        new() { ["message"] = Text, ["custom_id"] = CustomId, ["variables"] = Variables?.DeepClone() ?? new JsonObject() };
}
