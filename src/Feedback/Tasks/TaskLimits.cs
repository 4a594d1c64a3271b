using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Tasks;

/// <summary>
/// How often tasks are asked for: windows that begin with the first request that they count and refuse what comes after the last until
/// they end. Each process counts for itself.
/// </summary>
internal sealed class TaskLimits(IOptions<FeedbackOptions> options, TimeProvider time)
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(Guid Client, string Who, int Counter), Window> windows = new();
    private long swept = time.GetTimestamp();

    /// <summary>Counts a request, also one that will be refused for something else.</summary>
    /// <param name="user">Null when the request names none.</param>
    /// <exception cref="Failure">429 with the seconds until the window ends.</exception>
    public void Count(Guid clientId, string? user, string? type)
    {
        var limits = options.Value.RateLimit;
        if (!limits.Enabled)
        {
            return;
        }
        if (user is null)
        {
            Take((clientId, "", 1), limits.ClientTimes, limits.ClientMinutes);
            return;
        }
        Take((clientId, user, 0), limits.UserTimes, limits.UserMinutes);
        if (type == TaskType.AssistantReply)
        {
            Take((clientId, user, 2), limits.AssistantTimes, limits.AssistantMinutes);
        }
        else if (type == TaskType.PrompterReply)
        {
            Take((clientId, user, 3), limits.PrompterTimes, limits.PrompterMinutes);
        }
    }

    private void Take((Guid Client, string Who, int Counter) key, int times, int minutes)
    {
        if (Volatile.Read(ref swept) is var last && time.GetElapsedTime(last) > SweepEvery
            && Interlocked.CompareExchange(ref swept, time.GetTimestamp(), last) == last)
        {
            Sweep();
        }
        var length = TimeSpan.FromMinutes(minutes);
        while (true)
        {
            var window = windows.GetOrAdd(key, static (_, started) => new(started), time.GetTimestamp());
            var age = time.GetElapsedTime(window.Started);
            if (age < length)
            {
                if (Interlocked.Increment(ref window.Taken) > times)
                {
                    throw Failure.TooMany("Too many requests", length - age);
                }
                return;
            }
            windows.TryRemove(KeyValuePair.Create(key, window));
        }
    }

    private void Sweep()
    {
        var limits = options.Value.RateLimit;
        var longest = TimeSpan.FromMinutes(
            Math.Max(Math.Max(limits.UserMinutes, limits.ClientMinutes), Math.Max(limits.AssistantMinutes, limits.PrompterMinutes)));
        foreach (var old in windows.Where(window => time.GetElapsedTime(window.Value.Started) > longest))
        {
            windows.TryRemove(old);
        }
    }

    private sealed class Window(long started)
    {
        public long Started => started;

        public int Taken;
    }
}
