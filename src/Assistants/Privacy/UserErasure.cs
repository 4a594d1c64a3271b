using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Stoa.Assistants.Privacy;

/// <summary>
/// Takes users out with all that the assistant did for them: every table of the module that holds something of a user's goes with him, and
/// jobs hold nothing but ids. A company stays while others work for it.
/// </summary>
public sealed class UserErasure
{
    private const int MostTries = 5;

    private readonly AssistantsDb db;

    internal UserErasure(AssistantsDb db) => this.db = db;

    /// <param name="user">His id, or the address that he signs in with.</param>
    /// <returns>False when there is no such user.</returns>
    public Task<bool> EraseAsync(string user, CancellationToken ct) => RunAsync(
        $"""
        delete from assistants.users where id = {user} or lower(email) = lower({user}) returning company_id as "Value"
        """,
        ct);

    internal Task ErasePersonAsync(Guid personId, CancellationToken ct) => RunAsync(
        $"""
        delete from assistants.users where person_id = {personId} returning company_id as "Value"
        """,
        ct);

    /// <summary>
    /// Whoever works for the user at this moment locks what goes, in an order of his own: the database then ends one of the two.
    /// </summary>
    private async Task<bool> RunAsync(FormattableString statement, CancellationToken ct)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await TryAsync(statement, ct);
            }
            catch (Exception exception) when (tries < MostTries
                && exception.GetBaseException() is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected })
            {
                // It was this one, and the other has gone on.
            }
        }
    }

    private async Task<bool> TryAsync(FormattableString statement, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var companies = await db.Database.SqlQuery<int?>(statement).ToListAsync(ct);
        var left = companies.OfType<int>().ToArray();
        await db.Database.ExecuteSqlAsync($"""
            delete from assistants.companies c
              where c.id = any ({left}) and not exists (select from assistants.users u where u.company_id = c.id)
            """, ct);
        await transaction.CommitAsync(ct);
        return companies.Count > 0;
    }
}
