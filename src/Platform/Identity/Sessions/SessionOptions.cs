using System.ComponentModel.DataAnnotations;

namespace Stoa.Platform.Identity;

/// <summary>Section <c>Sessions</c>.</summary>
public sealed class SessionOptions
{
    /// <summary>A session that is not used for so long ends.</summary>
    [Range(5, 43_200)]
    public int IdleMinutes { get; set; } = 720;

    /// <summary>A session ends after so long in any case.</summary>
    [Range(1, 365)]
    public int AbsoluteDays { get; set; } = 14;

    /// <summary>
    /// Whether browsers may send the cookie over TLS only. Without it whoever listens on the way can take a session over; it is for hosts
    /// on a network of one's own that no proxy with TLS stands before.
    /// </summary>
    public bool RequireTls { get; set; } = true;

    public TimeSpan Idle => TimeSpan.FromMinutes(IdleMinutes);

    public TimeSpan Absolute => TimeSpan.FromDays(AbsoluteDays);
}
