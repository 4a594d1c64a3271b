using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Completions;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Responses;

/// <summary>
/// Makes a response in the background. It may ask the model twice, when its node dies over it; the response has one end.
/// </summary>
internal sealed class MakeResponseHandler(ResponseStore responses, InnerCalls calls) : IJobHandler<MakeResponse>
{
    /// <summary>A model is mostly waited for; nobody's waiting takes all workers of a process.</summary>
    public static readonly JobRules Rules = new()
    {
        MaxAttempts = 4, Timeout = TimeSpan.FromMinutes(20), MaxRunningPerTenant = 4, IsSensitive = true,
    };

    public async Task RunAsync(MakeResponse job, JobContext context, CancellationToken ct)
    {
        if (await responses.BeginAsync(job, ct) is not { } task)
        {
            return;
        }
        if (calls.Find(task.KeyId, task.KeyPrefix) is not { } key)
        {
            await EndAsync(job, Failed(task, "invalid_api_key", "The API key was revoked or has expired"), ct);
            return;
        }
        if (task.Headers is not { } headers)
        {
            await EndAsync(job, Failed(task, "invalid_api_key", "What the request brought along was sealed by another installation"), ct);
            return;
        }
        var answer = await calls.PostAsync(InnerCalls.Responses, RequestOf(task), key, ct, headers);
        if (!answer.IsSuccess && answer.Status is 429 or >= 500 && !context.IsLastAttempt)
        {
            throw JobFailure.RetryAfter(TimeSpan.FromSeconds(10 * context.Attempt), $"The call was answered with status {answer.Status}");
        }
        await EndAsync(job, answer.IsSuccess ? Made(task, answer.Body) : Failed(task, answer.Body), ct);
    }

    private Task<Guid?> EndAsync(MakeResponse job, JsonObject response, CancellationToken ct) => responses.EndAsync(
        job.OrganizationId, job.ResponseId, (string)response["status"]!,
        JsonSerializer.SerializeToUtf8Bytes(response, GatewayJson.Default.JsonObject), ct);

    /// <summary>The call itself keeps nothing: what it goes on from is in it, and its answer is kept here.</summary>
    private static byte[] RequestOf(ResponseTask task)
    {
        // As it came: a client may have named a member twice, which a JsonObject would not take.
        using var request = JsonDocument.Parse(task.Request);
        var output = new ArrayBufferWriter<byte>(task.Request.Length + 16);
        var json = JsonOutput.Open(output);
        json.WriteStartObject();
        foreach (var field in request.RootElement.EnumerateObject()
            .Where(field => field.Name is not ("background" or "previous_response_id" or "store")))
        {
            field.WriteTo(json);
        }
        json.WriteBoolean("store", false);
        json.WriteEndObject();
        JsonOutput.Close(json);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The answer under the id, and with the words, that the client was given at the start.</summary>
    private static JsonObject Made(ResponseTask task, ReadOnlyMemory<byte> body)
    {
        var queued = JsonNode.Parse(task.Response.Span)!;
        var response = JsonNode.Parse(body.Span)!.AsObject();
        foreach (var name in (string[])["id", "created_at", "background", "store", "previous_response_id"])
        {
            response[name] = queued[name]?.DeepClone();
        }
        return response;
    }

    private static JsonObject Failed(ResponseTask task, ReadOnlyMemory<byte> body)
    {
        var error = JsonNode.Parse(body.Span)!["error"]!;
        return Failed(task, (string?)error["code"] ?? "server_error", (string?)error["message"] ?? "The response could not be made");
    }

    private static JsonObject Failed(ResponseTask task, string code, string message)
    {
        var response = JsonNode.Parse(task.Response.Span)!.AsObject();
        response["status"] = "failed";
        response["error"] = new JsonObject { ["code"] = code, ["message"] = message };
        return response;
    }
}
