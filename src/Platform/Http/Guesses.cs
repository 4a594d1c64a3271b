using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Http;

/// <summary>
/// Slows down whoever tries keys, tokens and secrets: one address may be wrong so many times a minute, over all surfaces together. The
/// same credential sent again is no new guess, so a program with an old key keeps no neighbour out. Each host counts for itself.
/// </summary>
public sealed class Guesses(IOptions<StoaOptions> options, TimeProvider time)
{
    // What is kept of an address is at most a few kilobytes; when so many addresses guess, all begin anew.
    private const int MostPlaces = 10_000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Guid, Tries> places = new();

    /// <summary>For credentials that somebody chose. Those of 256 bits need it not: they cannot be guessed, and go on to work.</summary>
    /// <exception cref="Failure">The address has been wrong too often.</exception>
    public void Check(HttpContext context)
    {
        if (!places.IsEmpty && places.TryGetValue(PlaceOf(context), out var tries) && tries.Wait(Now, Most) is { } wait)
        {
            throw TooMany(wait);
        }
    }

    /// <summary>
    /// What to throw for a credential that is none: the refusal, or that there were too many. Without a credential nothing counts.
    /// </summary>
    public Failure Count(HttpContext context, string credential, Failure refusal)
    {
        if (credential.Length == 0)
        {
            return refusal;
        }
        if (places.Count >= MostPlaces)
        {
            places.Clear();
        }
        var hash = BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(credential)));
        return places.GetOrAdd(PlaceOf(context), static _ => new()).Add(hash, Now, Most) is { } wait ? TooMany(wait) : refusal;
    }

    private TimeSpan Now => time.GetElapsedTime(0);

    private int Most => options.Value.WrongCredentialsPerMinute;

    private static Guid PlaceOf(HttpContext context) => Place.OwnerOf(context.Connection.RemoteIpAddress);

    private static Failure TooMany(TimeSpan wait) =>
        Failure.TooMany("Too many wrong credentials from this address. Wait a moment and try again.", wait);

    /// <summary>
    /// What one address sent in the last minute, oldest first. It holds exactly: no minute, wherever it starts, has more.
    /// </summary>
    private sealed class Tries
    {
        private readonly Queue<(ulong Hash, TimeSpan At)> recent = [];
        private readonly Lock gate = new();

        /// <summary>How long until another may be sent; null when one may be now.</summary>
        public TimeSpan? Wait(TimeSpan now, int most)
        {
            lock (gate)
            {
                return WaitNow(now, most);
            }
        }

        /// <summary>The same, and counts this one if it is another than those before.</summary>
        public TimeSpan? Add(ulong hash, TimeSpan now, int most)
        {
            lock (gate)
            {
                var wait = WaitNow(now, most);
                if (recent.Any(known => known.Hash == hash))
                {
                    return null;
                }
                if (wait is null)
                {
                    recent.Enqueue((hash, now));
                }
                return wait;
            }
        }

        private TimeSpan? WaitNow(TimeSpan now, int most)
        {
            while (recent.TryPeek(out var oldest) && now - oldest.At >= Window)
            {
                recent.Dequeue();
            }
            return recent.Count >= most ? recent.Peek().At + Window - now : null;
        }
    }
}
