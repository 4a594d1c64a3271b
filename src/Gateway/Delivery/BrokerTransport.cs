using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Delivery;

/// <summary>Runs wait in RabbitMQ. What is secret of them stays in the database.</summary>
internal sealed partial class BrokerTransport(
    Broker broker, BrokerQueues queues, RunSecrets secrets, TimeProvider time, ILogger<BrokerTransport> logger) : IRunTransport
{
    public async Task EnqueueAsync(QueuedRun run, JsonObject? taken, CancellationToken ct)
    {
        var message = taken is null ? run : run with { KeyRef = await secrets.KeepAsync(run.OrganizationId, taken, ct) };
        try
        {
            await PublishAsync(queues.Main, message, ct);
        }
        catch (Exception exception) when (!ct.IsCancellationRequested)
        {
            LogFailed(exception);
            throw new Failure(FailureKind.Internal, RuntimeErrors.QueueFailed, "Failed to publish message.");
        }
    }

    public async Task<QueueState> StateAsync(CancellationToken ct)
    {
        var (waiting, failed) = await broker.WithChannelAsync(
            async (channel, limited) =>
                (await channel.MessageCountAsync(queues.Main, limited), await channel.MessageCountAsync(queues.Failed, limited)), ct);
        return new("rabbitmq", queues.Main, waiting, failed);
    }

    public async Task<int> ReplayAsync(int most, CancellationToken ct)
    {
        // No more than there are now: what dies again meanwhile must not go round.
        var left = Math.Min(most, (int)(await StateAsync(ct)).Failed);
        var replayed = 0;
        while (replayed < left && await broker.WithChannelAsync(ReplayOneAsync, ct))
        {
            replayed++;
        }
        return replayed;
    }

    /// <summary>
    /// Back into the main queue first, then out of the dead letters: in between it is in both, and its id makes it run once.
    /// </summary>
    private async Task<bool> ReplayOneAsync(IChannel channel, CancellationToken ct)
    {
        if (await channel.BasicGetAsync(queues.Failed, autoAck: false, ct) is not { } dead)
        {
            return false;
        }
        var original = OriginalOf(dead.Body.Span);
        var body = BrokerMessages.Read(original) is { } run
            ? BrokerMessages.Write(run with { Attempt = 1, Replay = run.Replay + 1, EnqueuedAt = time.GetUtcNow() })
            : original;
        await channel.BasicPublishAsync(
            exchange: "", queues.Main, mandatory: true, BrokerMessages.Lasting(dead.BasicProperties.MessageId), body, ct);
        await channel.BasicAckAsync(dead.DeliveryTag, multiple: false, ct);
        return true;
    }

    /// <summary>Ours say what was wrong beside the message; those that the broker gave up on come as they were.</summary>
    private static byte[] OriginalOf(ReadOnlySpan<byte> dead)
    {
        try
        {
            return JsonNode.Parse(dead) is JsonObject { Count: 2 } wrapped
                && wrapped["error"] is not null && wrapped["original"] is { } original
                ? original is JsonValue text && text.TryGetValue<string>(out var raw)
                ? Encoding.UTF8.GetBytes(raw) : Encoding.UTF8.GetBytes(original.ToJsonString())
                : dead.ToArray();
        }
        catch (Exception notOurs) when (notOurs is JsonException or ArgumentException)
        {
            return dead.ToArray();
        }
    }

    private Task PublishAsync(string queue, QueuedRun run, CancellationToken ct) =>
        broker.PublishAsync(queue, BrokerMessages.Write(run), run.Id, ct);

    [LoggerMessage(LogLevel.Error, "A run could not be queued")]
    private partial void LogFailed(Exception exception);
}

/// <summary>Messages as bytes.</summary>
internal static class BrokerMessages
{
    public static byte[] Write(QueuedRun run) => JsonSerializer.SerializeToUtf8Bytes(run, DeliveryJson.Default.QueuedRun);

    /// <summary>Null for what is no message of ours.</summary>
    public static QueuedRun? Read(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, DeliveryJson.Default.QueuedRun);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary><c>{"error", "original"}</c>; what is no JSON is kept as a text.</summary>
    public static byte[] Dead(string error, ReadOnlySpan<byte> body)
    {
        JsonNode? original;
        try
        {
            original = JsonNode.Parse(body);
        }
        catch (JsonException)
        {
            original = Encoding.UTF8.GetString(body);
        }
        return Encoding.UTF8.GetBytes(new JsonObject { ["error"] = error, ["original"] = original }.ToJsonString());
    }

    public static BasicProperties Lasting(string? messageId) =>
        new() { Persistent = true, ContentType = "application/json", MessageId = messageId };
}
