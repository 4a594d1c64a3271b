using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Users;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Cortexes;

/// <summary>
/// Whose jobs they are: the user's, by whose id his own job routes find them, and by which is counted what runs for him at the same time.
/// </summary>
internal static class JobOwners
{
    public static JobOwner Of(UserRow user) => Of(user.Id, user.OrganizationId, user.PersonId);

    public static JobOwner Of(string userId, Guid organizationId, Guid? personId) =>
        new(organizationId, personId, Tenant: userId, CreatedBy: $"user:{userId}");

    /// <summary>Null when the execution is not there.</summary>
    public static async Task<JobOwner?> OfExecutionAsync(AssistantsDb db, int executionId, CancellationToken ct) => await FindAsync(
        db,
        $"""
        select u.id as user_id, u.organization_id, u.person_id, u.timezone_name, u.timezone_offset
        from assistants.task_executions e join assistants.users u on u.id = e.user_id where e.id = {executionId} and e.deleted_at is null
        """,
        ct) is { } user ? user.Owner : null;

    /// <summary>Null when the session is not there.</summary>
    public static async Task<JobOwner?> OfSessionAsync(AssistantsDb db, string sessionId, CancellationToken ct) => await FindAsync(
        db,
        $"""
        select u.id as user_id, u.organization_id, u.person_id, u.timezone_name, u.timezone_offset
        from assistants.sessions s join assistants.users u on u.id = s.user_id where s.id = {sessionId} and not s.is_deleted
        """,
        ct) is { } user ? user.Owner : null;

    /// <summary>With his clock; null when the to-do is not there, or somebody deleted it.</summary>
    public static async Task<(JobOwner Owner, LocalTime Zone)?> OfTodoAsync(AssistantsDb db, int todoId, CancellationToken ct) =>
        await FindAsync(
        db,
        $"""
        select u.id as user_id, u.organization_id, u.person_id, u.timezone_name, u.timezone_offset
        from assistants.todos t join assistants.users u on u.id = t.user_id
        where t.id = {todoId} and t.deleted_by_user_at is null and t.deleted_by_mojo_at is null
        """,
        ct) is { } user ? (user.Owner, new(user.TimezoneName, user.TimezoneOffset)) : null;

    private static async Task<User?> FindAsync(AssistantsDb db, FormattableString sql, CancellationToken ct) =>
        (await db.Database.SqlQuery<User>(sql).ToListAsync(ct)).FirstOrDefault();

    private sealed record User(string UserId, Guid OrganizationId, Guid? PersonId, string? TimezoneName, int? TimezoneOffset)
    {
        public JobOwner Owner => Of(UserId, OrganizationId, PersonId);
    }
}
