using System.Text.Json.Serialization;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <summary>How long the old key goes on working beside the new one.</summary>
public sealed record RotationTerms(int OverlapMinutes = RotationTerms.DefaultOverlapMinutes)
{
    public const int DefaultOverlapMinutes = 60;

    private const int MaxOverlapMinutes = 60 * 24 * 30;

    [JsonIgnore]
    public TimeSpan Overlap => TimeSpan.FromMinutes(OverlapMinutes);

    public IEnumerable<FieldError> Check()
    {
        if (OverlapMinutes is < 0 or > MaxOverlapMinutes)
        {
            yield return new("overlap_minutes", $"overlap_minutes must be between 0 and {MaxOverlapMinutes}");
        }
    }
}
