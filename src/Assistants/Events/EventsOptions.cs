using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Stoa.Assistants.Events;

/// <summary>Section <c>Assistants:Events</c>: at which hours of their own users are told what.</summary>
internal sealed class EventsOptions
{
    public const string Section = "Assistants:Events";

    [Range(0, 23)]
    public int TodoEmailHour { get; set; } = 8;

    [Range(0, 23)]
    public int NotificationHour { get; set; } = 14;

    [Range(0, 23)]
    public int ReminderHour { get; set; } = 17;

    /// <summary>
    /// Whether this host tells users by itself at these hours. The routes of the original's scheduler work in any case; both together tell
    /// once.
    /// </summary>
    public bool IsScheduled { get; set; } = true;

    /// <summary>Whether the reminders of the evening are among it; the original has switched them off.</summary>
    public bool SendReminders { get; set; }
}

[OptionsValidator]
internal sealed partial class EventsOptionsValidator : IValidateOptions<EventsOptions>;
