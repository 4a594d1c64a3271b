using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Stoa.Gateway.Configuration;

/// <summary>
/// Every model that an organization may name: those known from the start, those of the settings, and the rows, which say what a model is.
/// Which models a service has at all the settings say first, where they do.
/// </summary>
internal sealed class ModelStore(GatewayDb db, ServiceRegistry services, IOptions<GatewayOptions> options, TimeProvider time)
{
    /// <summary>Also one that is switched off; null when there is none that the organization may see.</summary>
    public async Task<ModelDocument?> FindAsync(Guid organizationId, string service, string model, CancellationToken ct)
    {
        if (!IsServed(service, model))
        {
            return null;
        }
        var rows = await db.ModelConfigurations.AsNoTracking()
            .Where(row => row.Service == service && row.ModelName == model
                && (row.OrganizationId == null || row.OrganizationId == organizationId))
            .ToListAsync(ct);
        // An organization's own model of a name comes before the one that all share.
        return rows.OrderBy(row => row.OrganizationId is null).Select(ModelDocument.Of).FirstOrDefault()
            ?? Built(service).FirstOrDefault(known => known.ModelName == model);
    }

    /// <param name="service">Null for all.</param>
    public async Task<List<ModelDocument>> ListAsync(Guid organizationId, string? service, CancellationToken ct)
    {
        var rows = await db.ModelConfigurations.AsNoTracking()
            .Where(row => (service == null || row.Service == service)
                && (row.OrganizationId == null || row.OrganizationId == organizationId))
            .OrderBy(row => row.Service).ThenBy(row => row.ModelName).ToListAsync(ct);
        return [.. rows.OrderBy(row => row.OrganizationId is null).Select(ModelDocument.Of)
            .Concat(service is null ? services.All.SelectMany(one => Built(one.Name)) : Built(service))
            .Where(model => IsServed(model.Service, model.ModelName))
            .DistinctBy(model => (model.Service, model.ModelName))];
    }

    /// <summary>A model of the organization's own. False when it may name one of that service and name already.</summary>
    public async Task<ModelConfiguration?> AddAsync(
        Guid organizationId, string service, string model, bool isEnabled, JsonObject document, CancellationToken ct)
    {
        if (await FindAsync(organizationId, service, model, ct) is not null)
        {
            return null;
        }
        var row = new ModelConfiguration
        {
            Id = HexId.Create(time),
            Service = service,
            ModelName = model,
            OrganizationId = organizationId,
            IsEnabled = isEnabled,
            Document = document,
            UpdatedAt = time.GetUtcNow(),
        };
        db.Add(row);
        return await db.TrySaveAsync(ct) == Saved.Kept ? row : null;
    }

    /// <summary>What the organization has stored itself, also of a model that the settings leave out by now.</summary>
    public Task<ModelConfiguration?> FindOwnAsync(Guid organizationId, string service, string model, CancellationToken ct) =>
        db.ModelConfigurations.AsNoTracking()
            .FirstOrDefaultAsync(row => row.Service == service && row.ModelName == model && row.OrganizationId == organizationId, ct);

    public async Task<bool> RemoveAsync(Guid organizationId, string service, string model, CancellationToken ct) =>
        await db.ModelConfigurations.Where(row => row.Service == service && row.ModelName == model && row.OrganizationId == organizationId)
            .ExecuteDeleteAsync(ct) > 0;

    /// <summary>Writes what all share. A model that was known from the start gets a row by it.</summary>
    /// <returns>False when there is no such model.</returns>
    public async Task<bool> ChangeSharedAsync(string service, string model, Action<ModelConfiguration> change, CancellationToken ct)
    {
        while (true)
        {
            var row = await db.ModelConfigurations.SingleOrDefaultAsync(
                row => row.Service == service && row.ModelName == model && row.OrganizationId == null, ct);
            if (row is null)
            {
                if (Built(service).FirstOrDefault(known => known.ModelName == model) is not { } built)
                {
                    return false;
                }
                db.Add(row = RowOf(built));
            }
            change(row);
            row.UpdatedAt = time.GetUtcNow();
            // Taken by somebody who wrote the first row at the same time: then it is there to be changed.
            if (await db.TrySaveAsync(ct) == Saved.Kept)
            {
                return true;
            }
        }
    }

    private bool IsServed(string service, string model) => services.Find(service)?.Serves(model) != false;

    private ModelConfiguration RowOf(ModelDocument built) => new()
    {
        Id = HexId.Create(time),
        Service = built.Service,
        ModelName = built.ModelName,
        IsEnabled = true,
        Document = new()
        {
            ["display_name"] = built.DisplayName,
            ["configuration"] = JsonObject.Create(built.Configuration),
            ["validationConfig"] = JsonObject.Create(built.ValidationConfig),
            ["outputConfig"] = JsonObject.Create(built.OutputConfig),
        },
        UpdatedAt = time.GetUtcNow(),
    };

    private IEnumerable<ModelDocument> Built(string service) => KnownModels.All.Where(model => model.Service == service).Concat(
        options.Value.Providers.Where(own => string.Equals(own.Key, service, StringComparison.OrdinalIgnoreCase))
            .SelectMany(own => own.Value.Models).Select(model => KnownModels.Plain(service, model)))
        .DistinctBy(model => model.ModelName);
}
