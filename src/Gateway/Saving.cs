using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Stoa.Gateway;

internal static class Saving
{
    /// <summary>False when another row has what must be unique; then nothing is kept.</summary>
    public static async Task<bool> TrySaveAsync(this DbContext db, CancellationToken ct)
    {
        try
        {
            await db.SaveChangesAsync(ct);
            return true;
        }
        catch (DbUpdateException taken) when (taken.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            db.ChangeTracker.Clear();
            return false;
        }
    }
}
