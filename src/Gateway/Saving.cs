using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Stoa.Gateway;

internal enum Saved
{
    Kept,

    /// <summary>Another row has what must be unique; nothing was kept.</summary>
    Taken,

    /// <summary>Somebody deleted the row at the same time; nothing was kept.</summary>
    Gone,
}

internal static class Saving
{
    public static async Task<Saved> TrySaveAsync(this DbContext db, CancellationToken ct)
    {
        try
        {
            await db.SaveChangesAsync(ct);
            return Saved.Kept;
        }
        catch (DbUpdateConcurrencyException)
        {
            db.ChangeTracker.Clear();
            return Saved.Gone;
        }
        catch (DbUpdateException taken) when (taken.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            db.ChangeTracker.Clear();
            return Saved.Taken;
        }
    }
}
