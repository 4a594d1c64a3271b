using System.ComponentModel.DataAnnotations;

namespace Stoa.Platform.Jobs.Calendars;

/// <summary>A time as a setting: cron of five fields, as in crontab, in an IANA zone.</summary>
public sealed class CalendarTime : IValidatableObject
{
    public string Cron { get; set; } = "0 0 * * *";

    public string Zone { get; set; } = "UTC";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        ValidationResult? wrong = null;
        try
        {
            Timetable.ByCron(Cron, Zone);
        }
        catch (ArgumentException error)
        {
            wrong = new(
                error.ParamName == "zone" ? "must be an IANA time zone, such as Asia/Kolkata" : "must be five fields of cron",
                [error.ParamName == "zone" ? nameof(Zone) : nameof(Cron)]);
        }
        return wrong is null ? [] : [wrong];
    }
}
