{{ config(materialized='view') }}
select customer_id
from {{ source('shop', 'orders') }}
group by 1
having max(ordered_at) < now() - interval '90 days'
