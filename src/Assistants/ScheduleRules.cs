using Stoa.Platform.Jobs;

namespace Stoa.Assistants;

internal static class ScheduleRules
{
    /// <summary>For jobs of schedules: all of them look for something of a user's, and many installations have none.</summary>
    public static readonly JobRules Default = new() { OnlyIf = "select exists (select from assistants.users)" };
}
