using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Stoa.Gateway.Delivery;

/// <summary>One message of a channel. The number is zero for one that is not kept.</summary>
internal sealed record PushMessage(long Id, string Channel, string Text);

/// <summary>
/// Somebody who listens to channels of one organization, with a buffer of his own. Who reads too slowly is cut off, and comes back.
/// </summary>
internal sealed class PushSubscriber(PushHub hub, Guid organizationId) : IDisposable
{
    private const int MaxChannels = 100;
    private const int MaxWaiting = 256;

    /// <summary>Characters of all messages that wait.</summary>
    private const int MaxCharacters = 16 << 20;

    private readonly Channel<PushMessage> buffer = Channel.CreateBounded<PushMessage>(MaxWaiting);
    private readonly Dictionary<string, Place> places = new(StringComparer.Ordinal);
    private long characters;

    public Guid OrganizationId => organizationId;

    /// <summary>False when there will be no more messages.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken ct) => buffer.Reader.WaitToReadAsync(ct);

    public bool TryRead([NotNullWhen(true)] out PushMessage? message)
    {
        if (!buffer.Reader.TryRead(out message))
        {
            return false;
        }
        Interlocked.Add(ref characters, -message.Text.Length);
        return true;
    }

    /// <summary>From now on; the last message is told at once where its time is not over. False when he has joined too many.</summary>
    /// <param name="seen">The number of the last message that he knows.</param>
    public async Task<bool> JoinAsync(string channel, long seen, CancellationToken ct)
    {
        lock (places)
        {
            if (places.Count >= MaxChannels && !places.ContainsKey(channel))
            {
                return false;
            }
            places.TryAdd(channel, new() { Newest = seen, Repeated = seen });
        }
        hub.Add(this, channel);
        if (await hub.LastAsync(organizationId, channel, ct) is { } message)
        {
            Repeat(message);
        }
        return true;
    }

    public void Leave(string channel)
    {
        hub.Remove(this, channel);
        lock (places)
        {
            places.Remove(channel);
        }
    }

    /// <summary>Something just published. Never waits. Nodes commit in any order, so only what was told already is left out.</summary>
    public void Offer(PushMessage message)
    {
        lock (places)
        {
            if (places.TryGetValue(message.Channel, out var place) && (message.Id == 0 || message.Id != place.Repeated))
            {
                place.Newest = Math.Max(place.Newest, message.Id);
                Write(message);
            }
        }
    }

    /// <summary>The last message of a channel, in case he has not heard it.</summary>
    public void Repeat(PushMessage message)
    {
        lock (places)
        {
            if (places.TryGetValue(message.Channel, out var place) && message.Id > place.Newest)
            {
                place.Newest = place.Repeated = message.Id;
                Write(message);
            }
        }
    }

    private void Write(PushMessage message)
    {
        if (Interlocked.Add(ref characters, message.Text.Length) > MaxCharacters || !buffer.Writer.TryWrite(message))
        {
            buffer.Writer.TryComplete();
        }
    }

    public void Dispose()
    {
        string[] joined;
        lock (places)
        {
            joined = [.. places.Keys];
            places.Clear();
        }
        foreach (var channel in joined)
        {
            hub.Remove(this, channel);
        }
        buffer.Writer.TryComplete();
    }

    private sealed class Place
    {
        public long Newest { get; set; }

        public long Repeated { get; set; }
    }
}
