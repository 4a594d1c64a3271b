using Microsoft.Extensions.Options;
using Stoa.Platform.Http;
using Stoa.Platform.Limits;

namespace Stoa.Learning.Tutor;

/// <summary>How much one person may ask: questions a minute, and tokens a day.</summary>
internal sealed class TutorLimits(ILimits limits, IOptions<TutorOptions> options)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <exception cref="Failure">TooMany, with the time to wait.</exception>
    public async ValueTask TakeAsync(int userId, CancellationToken ct)
    {
        var owner = OwnerOf(userId);
        if (options.Value.RequestsPerMinute is > 0 and var requests)
        {
            Check(await limits.TakeAsync(new(owner, "tutor_requests"), requests, Minute, 1, ct));
        }
        if (options.Value.TokensPerDay is > 0 and var tokens)
        {
            Check(await limits.TakeAsync(new(owner, "tutor_tokens"), tokens, Day, 1, ct));
        }
    }

    /// <summary>Counts what an answer has come to.</summary>
    public void Settle(int userId, long tokens)
    {
        if (options.Value.TokensPerDay > 0 && tokens > 0)
        {
            limits.Settle(new(OwnerOf(userId), "tutor_tokens"), Day, tokens);
        }
    }

    private static void Check(LimitReading reading)
    {
        if (!reading.Allowed)
        {
            throw Failure.TooMany("You have asked a lot. Please try again later", reading.RetryAfter);
        }
    }

    // Limits are kept by ids of ours; people of this module have numbers.
    private static Guid OwnerOf(int userId) => new(userId, 0, 0, "learner\0"u8.ToArray());
}
