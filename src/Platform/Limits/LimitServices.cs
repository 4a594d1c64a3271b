using Microsoft.Extensions.DependencyInjection;

namespace Stoa.Platform.Limits;

public static class LimitServices
{
    public static IServiceCollection AddLimits(this IServiceCollection services)
    {
        services.AddSingleton<ILimits, MemoryLimits>();
        return services;
    }
}
