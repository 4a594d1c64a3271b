using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;

namespace Stoa.Gateway.Delivery;

/// <summary>
/// Publishes to RabbitMQ with confirms, over one connection and a few channels. Whatever breaks is made anew with the next use.
/// </summary>
internal sealed partial class Broker(IOptions<GatewayOptions> options, BrokerQueues queues, TimeProvider time, ILogger<Broker> logger)
    : IAsyncDisposable
{
    private const int MostChannels = 8;
    private const int MostTries = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentBag<IChannel> idle = [];
    private readonly SemaphoreSlim slots = new(MostChannels);
    private readonly SemaphoreSlim connecting = new(1);
    private IConnection? connection;

    /// <summary>The broker has it on disk when it returns. Three tries, with waits of one and two seconds.</summary>
    public async Task PublishAsync(string queue, ReadOnlyMemory<byte> body, string? messageId, CancellationToken ct)
    {
        var properties = new BasicProperties
        {
            Persistent = true, ContentType = "application/json", MessageId = messageId,
            Timestamp = new(time.GetUtcNow().ToUnixTimeSeconds()),
        };
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await WithChannelAsync(async (channel, limited) =>
                {
                    await channel.BasicPublishAsync(exchange: "", queue, mandatory: true, properties, body, limited);
                    return true;
                }, ct);
                return;
            }
            catch (Exception exception) when (attempt < MostTries && !ct.IsCancellationRequested)
            {
                LogRepeating(attempt, exception.Message);
                await Task.Delay(TimeSpan.FromSeconds(attempt), time, ct);
            }
        }
    }

    /// <summary>Lends a channel that confirms what is published. After a failure it is thrown away.</summary>
    public async Task<T> WithChannelAsync<T>(Func<IChannel, CancellationToken, Task<T>> work, CancellationToken ct)
    {
        await slots.WaitAsync(ct);
        try
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
            var channel = await TakeAsync(limited.Token);
            try
            {
                var result = await work(channel, limited.Token);
                idle.Add(channel);
                return result;
            }
            catch
            {
                await channel.DisposeAsync();
                throw;
            }
        }
        finally
        {
            slots.Release();
        }
    }

    /// <summary>A connection of the caller's own, with the queues declared.</summary>
    public async Task<IConnection> ConnectAsync(string name, CancellationToken ct)
    {
        var factory = new ConnectionFactory
        {
            Uri = new(options.Value.Queue.Url!),
            ClientProvidedName = name,
            // Ours is made anew as a whole: half a recovery is harder to reason about than none.
            AutomaticRecoveryEnabled = false,
            TopologyRecoveryEnabled = false,
            RequestedHeartbeat = TimeSpan.FromSeconds(10),
        };
        var made = await factory.CreateConnectionAsync(ct);
        try
        {
            await using var channel = await made.CreateChannelAsync(cancellationToken: ct);
            await queues.DeclareAsync(channel, ct);
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (connection is not null)
        {
            await connection.DisposeAsync();
        }
        slots.Dispose();
        connecting.Dispose();
    }

    private async Task<IChannel> TakeAsync(CancellationToken ct)
    {
        while (idle.TryTake(out var channel))
        {
            if (channel.IsOpen)
            {
                return channel;
            }
            await channel.DisposeAsync();
        }
        return await (await ConnectedAsync(ct)).CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), ct);
    }

    private async Task<IConnection> ConnectedAsync(CancellationToken ct)
    {
        await connecting.WaitAsync(ct);
        try
        {
            if (connection is { IsOpen: true } open)
            {
                return open;
            }
            if (connection is not null)
            {
                await connection.DisposeAsync();
                connection = null;
            }
            return connection = await ConnectAsync("stoa publisher", ct);
        }
        finally
        {
            connecting.Release();
        }
    }

    [LoggerMessage(LogLevel.Warning, "The broker did not take a message in try {Attempt}: {Problem}")]
    private partial void LogRepeating(int attempt, string problem);
}
