using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Delivery;

/// <summary>Hands one message over to a foreign push service, in RTLayer's form.</summary>
internal sealed record SendPush(long MessageId)
{
    public const string Kind = "gateway.send_push";

    /// <summary>A push that comes minutes late helps nobody.</summary>
    public static readonly JobRules Rules = new()
    {
        MaxAttempts = 6, FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromMinutes(1), MaxAge = TimeSpan.FromMinutes(10),
        Timeout = TimeSpan.FromSeconds(30), MaxRunningPerNode = 4,
    };
}

internal sealed class SendPushHandler(
    NpgsqlDataSource source, PushPublisher push, IHttpClientFactory clients, IOptions<GatewayOptions> options) : IJobHandler<SendPush>
{
    public const string Client = "gateway.push";

    public async Task RunAsync(SendPush job, JobContext context, CancellationToken ct)
    {
        if (await FindAsync(job.MessageId, ct) is not { } message)
        {
            return;
        }
        var apiKey = message.ApiKey ?? options.Value.Push.ApiKey ?? "";
        var body = new JsonObject { ["channel"] = message.Channel, ["ttl"] = message.Ttl, ["apikey"] = apiKey, ["message"] = message.Text };
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"{options.Value.Push.Url.TrimEnd('/')}/message?apiKey={Uri.EscapeDataString(apiKey)}")
        {
            Content = new StringContent(body.ToJsonString()),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await clients.CreateClient(Client).SendAsync(request, ct);
        if (!response.IsSuccessStatusCode)
        {
            throw new HttpRequestException($"The push service answered {(int)response.StatusCode}");
        }
    }

    private async Task<(string Channel, string Text, string? ApiKey, int Ttl)?> FindAsync(long id, CancellationToken ct)
    {
        await using var command =
            source.CreateCommand("select channel, body, secret, ttl_seconds from gateway.push_messages where id = $1");
        command.Parameters.Add(new() { Value = id });
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await rows.ReadAsync(ct)
            ? (rows.GetString(0), rows.GetString(1), push.KeyOf(rows.IsDBNull(2) ? null : rows.GetFieldValue<byte[]>(2)), rows.GetInt32(3))
            : null;
    }
}
