using System.Text.Json.Serialization;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Courses;

/// <summary>Whether a cohort gets a course's modules one after the other, and how fast.</summary>
internal sealed record DripConfig
{
    public static readonly DripConfig Off = new();

    public bool IsDripEnabled { get; init; }

    public int? FrequencyValue { get; init; }

    public DripUnit? FrequencyUnit { get; init; }

    /// <summary>When the first span begins; without it, when the learner joined.</summary>
    [JsonConverter(typeof(WireInstant))]
    public DateTimeOffset? PublishAt { get; init; }

    /// <exception cref="Failure">422: it is on and says no span.</exception>
    public DripConfig Check()
    {
        if (FrequencyValue is { } value && value is < 1 or > 100_000)
        {
            throw WireErrors.Value("frequency_value must be from 1 to 100000", "drip_config", "frequency_value");
        }
        return !IsDripEnabled || (FrequencyValue is not null && FrequencyUnit is not null)
            ? this
            : throw WireErrors.Value("a drip needs frequency_value and frequency_unit", "drip_config");
    }

    /// <summary>
    /// When the module opens that has this many modules with something published before it; null when it is open. The first one always is.
    /// </summary>
    public DateTimeOffset? UnlockAt(int place, DateTimeOffset? joinedAt, DateTimeOffset now)
    {
        if (!IsDripEnabled || place == 0 || (PublishAt ?? joinedAt) is not { } start || FrequencyValue is not { } value)
        {
            return null;
        }
        var opens = After(start.ToUniversalTime(), (long)value * place);
        return opens > now ? opens : null;
    }

    // Months and years go by the calendar: from 31 January it is one month to the last of February. What no calendar has is never.
    private DateTimeOffset After(DateTimeOffset start, long count)
    {
        try
        {
            return FrequencyUnit switch
            {
                DripUnit.Minute => start.AddMinutes(count),
                DripUnit.Hour => start.AddHours(count),
                DripUnit.Day => start.AddDays(count),
                DripUnit.Week => start.AddDays(7 * count),
                DripUnit.Month => start.AddMonths((int)Math.Min(count, 120_000)),
                DripUnit.Year => start.AddYears((int)Math.Min(count, 10_000)),
                null => start,
            };
        }
        catch (ArgumentOutOfRangeException)
        {
            return DateTimeOffset.MaxValue;
        }
    }
}
