{{ config(materialized='materialized_view') }}
select customer_id from {{ source('shop', 'orders') }} group by 1 having sum(total) > 100
