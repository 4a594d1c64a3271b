using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Delivery;

/// <summary>
/// Runs what waits in RabbitMQ. A message is acknowledged after its effect: the answer was taken for delivery, or the message stands in the
/// queue of a retry or of the dead letters. A crash in between brings it back, and its id keeps it from being run twice.
/// </summary>
internal sealed partial class BrokerConsumer(
    Broker broker, BrokerQueues queues, QueuedRuns runs, RunSecrets secrets,
    DatabaseReadiness readiness, IOptions<GatewayOptions> options, TimeProvider time,
    ILogger<BrokerConsumer> logger) : BackgroundService
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource cutOff = new();
    private int running;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // Those under way may end for as long as the host waits; what is left then goes back to the queue.
        await using var giveUp = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), cutOff);
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        base.Dispose();
        cutOff.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Run(() => ConsumeAlwaysAsync(stoppingToken), CancellationToken.None);

    private async Task ConsumeAlwaysAsync(CancellationToken ct)
    {
        await readiness.WhenReady(ct);
        var pause = ShortestPause;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await ConsumeAsync(() => pause = ShortestPause, ct);
            }
            catch (Exception exception) when (!ct.IsCancellationRequested)
            {
                LogLost(exception.Message);
            }
            await Task.Delay(pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>Until the connection breaks, or we stop.</summary>
    private async Task ConsumeAsync(Action consuming, CancellationToken ct)
    {
        await using var connection = await broker.ConnectAsync("stoa consumer", ct);
        var prefetch = (ushort)options.Value.Queue.Prefetch;
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: false,
                publisherConfirmationTrackingEnabled: false, consumerDispatchConcurrency: prefetch), ct);
        await channel.BasicQosAsync(prefetchSize: 0, prefetch, global: false, ct);
        var closed = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        channel.ChannelShutdownAsync += (_, reason) =>
        {
            closed.TrySetResult(reason.ReplyText);
            return Task.CompletedTask;
        };
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.UnregisteredAsync += (_, _) =>
        {
            closed.TrySetResult("the queue went away");
            return Task.CompletedTask;
        };
        consumer.ReceivedAsync += (_, delivery) => TakeAsync(channel, delivery);
        var tag = await channel.BasicConsumeAsync(queues.Main, autoAck: false, consumer, ct);
        consuming();
        try
        {
            LogLost(await closed.Task.WaitAsync(ct));
        }
        catch (OperationCanceledException)
        {
            await channel.BasicCancelAsync(tag, noWait: true, CancellationToken.None);
            while (Volatile.Read(ref running) > 0 && !cutOff.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), time, cutOff.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task TakeAsync(IChannel channel, BasicDeliverEventArgs delivery)
    {
        Interlocked.Increment(ref running);
        try
        {
            // The buffer is the client's again as soon as this method has returned.
            await HandleAsync(delivery.Body, cutOff.Token);
            await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false, cutOff.Token);
        }
        catch (Exception exception)
        {
            // Neither acknowledged nor refused: when the channel closes the message is given out again.
            LogLeft(exception, delivery.BasicProperties.MessageId);
            await GiveBackAsync(channel, delivery.DeliveryTag);
        }
        finally
        {
            Interlocked.Decrement(ref running);
        }
    }

    private async Task HandleAsync(ReadOnlyMemory<byte> body, CancellationToken ct)
    {
        if (BrokerMessages.Read(body.Span) is not { } run)
        {
            await broker.PublishAsync(queues.Failed, BrokerMessages.Dead("This is no message of ours", body.Span), messageId: null, ct);
            return;
        }
        switch (await runs.RunAsync(run, ct))
        {
            case QueueVerdict.Done:
                await secrets.ReleaseAsync(run, ct);
                break;
            case QueueVerdict.Again again:
                await broker.PublishAsync(
                    queues.RetryAfter(again.Wait),
                    BrokerMessages.Write(again.IsCounted ? run with { Attempt = run.Attempt + 1 } : run), run.Id, ct);
                break;
            case QueueVerdict.Dead dead:
                await broker.PublishAsync(queues.Failed, BrokerMessages.Dead(dead.Reason, body.Span), run.Id, ct);
                break;
        }
    }

    private static async Task GiveBackAsync(IChannel channel, ulong tag)
    {
        try
        {
            await channel.BasicNackAsync(tag, multiple: false, requeue: true);
        }
        catch (Exception exception)
            when (exception is RabbitMQ.Client.Exceptions.RabbitMQClientException or ObjectDisposedException or OperationCanceledException)
        {
            // The channel is closed, which gives it back as well.
        }
    }

    [LoggerMessage(LogLevel.Warning, "The broker is away: {Problem}")]
    private partial void LogLost(string problem);

    [LoggerMessage(LogLevel.Warning, "The queued run {Run} goes back to the queue")]
    private partial void LogLeft(Exception exception, string? run);
}
